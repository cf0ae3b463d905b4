"""The server's own catalogue of metrics, and what dashboards and rules must know besides: who tells each."""

from dataclasses import dataclass
from enum import Enum

from perfcast.api.metrics import SECTIONS


class Kind(Enum):
    """How a metric behaves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Told(Enum):
    """Who tells a metric."""

    OWN = "own"
    """Each replica its own part: the whole is the sum."""
    SHARED = "shared"
    """Every replica the same, read from the database: the whole is any of them."""
    HOST = "host"
    """Each replica what it sees of its machine: to be shown replica by replica."""


@dataclass(frozen=True)
class Metric:
    """A metric family.

    Attributes:
        name: As in `/metrics`; of a histogram without `_bucket`.
        labels: Besides those that Prometheus adds (`job`, `instance`).
    """

    name: str
    kind: Kind
    told: Told
    labels: tuple[str, ...]

    @property
    def always(self) -> bool:
        """Whether it is there soon after the start, so that its absence means something."""
        return not self.labels or self.name in _FROM_THE_START


_TOLD = {"Live accuracy": Told.SHARED, "Drift": Told.SHARED, "Training": Told.SHARED, "The host": Told.HOST}
_SHARED = {"ml_model_info", "ml_model_activated_timestamp_seconds"}
_FROM_THE_START = {"perfcast_dependency_up", "perfcast_health", "perfcast_jobs"}
METRICS = {
    metric.name: Metric(
        metric.name,
        Kind(metric.kind),
        Told.SHARED if metric.name in _SHARED else _TOLD.get(section, Told.OWN),
        metric.labels,
    )
    for section, metrics in SECTIONS.items()
    for metric in metrics
}
"""Every metric by its name. `ml_models_loaded_total` is a gauge in spite of its name, which clients know."""
