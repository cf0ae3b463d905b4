"""What Prometheus is shown."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from perfcast.api.metrics._tally import Durations, Ledger, SharedTally, Tally
from perfcast.serving import Follower

if TYPE_CHECKING:
    from prometheus_client.core import Metric

_MEANINGS = {
    "ml_model_evictions": "Graphs that left memory for others",
    "ml_shadow_rows_dropped": "Rows that no shadow was asked for",
    "ml_shadow_rows_failed": "Rows that a shadow had no answer for",
    "prediction_records_written": "Records of predictions written to the database",
    "prediction_records_dropped": "Records of predictions lost because the database could not take them",
    "ml_models_loaded_total": "Models whose champion is in memory",
    "ml_models_loaded_bytes": "Bytes of the graphs in memory",
    "http_requests_in_flight": "Requests being answered",
}
_ARM = ("model_name", "arm", "version")


class Exposition:
    """All counters, histograms and gauges.

    Attributes:
        shared: What all processes on this port counted; None where this is the only one.
    """

    def __init__(self, ledger: Ledger, follower: Follower) -> None:
        self.shared: SharedTally | None = None
        self._ledger, self._tally, self._follower = ledger, ledger.tally, follower

    def share(self, folder: str, slot: int) -> None:
        """Count together with the other processes on this port; see `SharedTally`."""
        self.shared = SharedTally(folder, slot, self._tally, self._counts)

    @property
    def counted(self) -> Tally:
        """What requests and predictions counted; of all processes, where several share the port."""
        return self._tally if self.shared is None else self.shared.total()[0]

    def text(self) -> bytes:
        """Prometheus' text format; of all processes, where several share the port."""
        from prometheus_client import generate_latest

        return generate_latest(self)

    def collect(self) -> "Iterable[Metric]":
        """Prometheus' metric families."""
        from prometheus_client import ProcessCollector
        from prometheus_client.core import GaugeMetricFamily

        tally, counts = (self._tally, self._counts()) if self.shared is None else self.shared.total()
        slots = self._follower.routes.champions.values()
        gauges = counts | {
            "ml_models_loaded_total": sum(slot.predictor is not None for slot in slots),
            "ml_models_loaded_bytes": self._follower.cache.bytes,
            "http_requests_in_flight": tally.in_flight,
        }
        yield from _families(tally)
        for name, value in gauges.items():
            yield GaugeMetricFamily(name, _MEANINGS[name], value=float(value))
        if self.shared is None:  # of several processes, it would show now this one and now that
            yield from ProcessCollector(registry=None).collect()

    def _counts(self) -> dict[str, int]:
        """What the process counts besides requests and predictions."""
        records, shadows = self._ledger.records, self._ledger.shadows
        return {
            "ml_model_evictions": self._follower.cache.evictions,
            "ml_shadow_rows_dropped": shadows.dropped,
            "ml_shadow_rows_failed": shadows.failed,
            "prediction_records_written": records.written if records is not None else 0,
            "prediction_records_dropped": records.dropped if records is not None else 0,
        }


def _families(tally: Tally) -> "Iterable[Metric]":
    arms = {**tally.arms, **tally.shadows}  # of which shadows are counted on a thread of their own
    answers = {labels: durations.answers for labels, durations in arms.items()}
    yield _counter("ml_predictions", "Predictions answered", ("model_name", "status"), tally.predictions)
    yield _counter("http_requests", "Requests answered", ("route", "method", "status"), tally.requests)
    yield _counter(
        "ml_feedback", "Actuals that were told", ("result",), {(one,): n for one, n in tally.actuals.items()}
    )
    meaning = "Time of a prediction"
    yield _histogram("ml_prediction_duration_seconds", meaning, ("model_name",), tally.prediction_seconds)
    yield _histogram("http_request_duration_seconds", "Time of a request", ("route",), tally.request_seconds)
    yield _counter("ml_arm_predictions", "Predictions answered by each arm", _ARM, answers)
    yield _histogram("ml_arm_prediction_duration_seconds", "Time of a prediction by arm", _ARM, arms)


def _counter(name: str, meaning: str, labels: tuple[str, ...], counts: Mapping[Any, int]) -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, meaning, labels=labels)
    for values, count in counts.items():
        family.add_metric([*map(str, values)], count)
    return family


def _histogram(name: str, meaning: str, labels: tuple[str, ...], durations: Mapping[Any, Durations]) -> "Metric":
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, meaning, labels=labels)
    for values, item in durations.items():
        family.add_metric([values] if isinstance(values, str) else [*map(str, values)], item.buckets(), item.total)
    return family
