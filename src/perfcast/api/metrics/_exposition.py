"""What Prometheus is shown."""

from collections.abc import Callable
from functools import partial

from perfcast.api.metrics._shared_tally import SharedTally
from perfcast.api.metrics._tally import Tally, TallyCollector
from perfcast.monitoring import PredictionLog
from perfcast.serving import Follower, Shadows

_MEANINGS = {
    "ml_model_evictions": "Graphs that left memory for others",
    "ml_shadow_rows_dropped": "Rows that no shadow was asked for",
    "ml_shadow_rows_failed": "Rows that a shadow had no answer for",
    "prediction_records_written": "Records of predictions written to the database",
    "prediction_records_dropped": "Records of predictions lost because the database could not take them",
}


class Exposition:
    """All counters, histograms and gauges.

    Attributes:
        shared: What all processes on this port counted; None where this is the only one.

    Args:
        tally: What requests and predictions count.
        follower, shadows, records: Count for themselves.
    """

    def __init__(self, tally: Tally, follower: Follower, shadows: Shadows, records: PredictionLog | None) -> None:
        self.shared: SharedTally | None = None
        self._tally, self._follower, self._shadows, self._records = tally, follower, shadows, records

    def share(self, folder: str, slot: int) -> SharedTally:
        """Count together with the other processes on this port; see `SharedTally`."""
        self.shared = SharedTally(folder, slot, self._tally, self.counts)
        return self.shared

    def counts(self) -> dict[str, int]:
        """What the process counts besides requests and predictions."""
        records = self._records
        return {
            "ml_model_evictions": self._follower.cache.evictions,
            "ml_shadow_rows_dropped": self._shadows.dropped,
            "ml_shadow_rows_failed": self._shadows.failed,
            "prediction_records_written": records.written if records is not None else 0,
            "prediction_records_dropped": records.dropped if records is not None else 0,
        }

    @property
    def counted(self) -> Tally:
        """What requests and predictions counted; of all processes, where several share the port."""
        return self._tally if self.shared is None else self.shared.total()[0]

    def text(self) -> bytes:
        """Prometheus' text format; of all processes, where several share the port."""
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

        registry = CollectorRegistry()
        if self.shared is None:
            registry.register(self._collector(self._tally, self.counts()))
            ProcessCollector(registry=registry)  # of several, it would show now this one and now that
        else:
            registry.register(self._collector(*self.shared.total()))
        return generate_latest(registry)

    def _collector(self, tally: Tally, counts: dict[str, int]) -> TallyCollector:
        follower = self._follower
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "ml_models_loaded_total": (
                "Models whose champion is in memory",
                lambda: sum(slot.predictor is not None for slot in follower.routes.champions.values()),
            ),
            "ml_models_loaded_bytes": ("Bytes of the graphs in memory", lambda: follower.cache.bytes),
            "http_requests_in_flight": ("Requests being answered", lambda: tally.in_flight),
        }
        counted = {name: (_MEANINGS[name], partial(float, count)) for name, count in counts.items()}
        return TallyCollector(tally, gauges | counted)
