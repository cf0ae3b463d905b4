"""What Prometheus is shown."""

from collections.abc import Callable, Iterable, Mapping
from os import getpid
from typing import TYPE_CHECKING, Any, TypeAlias

from perfcast.api.metrics._callers import Callers
from perfcast.api.metrics._catalogue import METRICS, Description
from perfcast.api.metrics._histogram import Histogram
from perfcast.api.metrics._processes import process_figures, processor_seconds
from perfcast.api.metrics._shared import Share, SharedTally
from perfcast.api.metrics._tally import Ledger, Tally
from perfcast.api.metrics._usage import Usage
from perfcast.serving import Follower

if TYPE_CHECKING:
    from prometheus_client.core import Metric

Samples: TypeAlias = Mapping[str, Mapping[Any, Any]]
"""By metric, by the values of its labels (a tuple, or the one value itself): a number or a histogram."""
ALONE = ()
"""The labels of a metric that has none."""


def alone(numbers: Mapping[str, float]) -> Samples:
    """Samples of metrics without labels."""
    return {name: {ALONE: value} for name, value in numbers.items()}


class Exposition:
    """All counters, histograms and gauges.

    Attributes:
        shared: What all processes on this port counted; None where this is the only one.
        sources: Give samples besides those of this process's counts, from memory.
    """

    def __init__(self, ledger: Ledger, follower: Follower, usage: Usage, callers: Callers) -> None:
        self.shared: SharedTally | None = None
        self.sources: list[Callable[[], Samples]] = []
        self._ledger, self._follower, self._usage, self._callers = ledger, follower, usage, callers

    def share(self, folder: str, slot: int) -> None:
        """Count together with the other processes on this port; see `SharedTally`."""
        self.shared = SharedTally(folder, slot, self._own)
        self._callers.share(folder)

    @property
    def counted(self) -> Tally:
        """What requests and predictions counted; of all processes, where several share the port."""
        return self._ledger.tally if self.shared is None else self.shared.total()[0].tally

    def text(self) -> bytes:
        """Prometheus' text format; of all processes, where several share the port."""
        from prometheus_client import generate_latest

        return generate_latest(self)

    def collect(self) -> "Iterable[Metric]":
        """Prometheus' metric families, in the catalogue's order; those without a sample are left out."""
        share, processes = (self._own(), [getpid()]) if self.shared is None else self.shared.total()
        samples = dict(self._counted(share, processes))
        for source in self.sources:
            samples |= source()
        for name in METRICS:
            if samples.get(name):
                yield _family(METRICS[name], samples[name])

    def _own(self) -> Share:
        """What this process has counted, and has."""
        records, shadows, cache = self._ledger.records, self._ledger.shadows, self._follower.cache
        self._usage.look()
        champions = list(self._follower.routes.champions.values())
        counts: dict[str, float] = {
            "ml_model_loads_total": cache.loads,
            "ml_model_load_failures_total": cache.failures,
            "ml_model_evictions_total": cache.evictions,
            "ml_shadow_rows_dropped_total": shadows.dropped,
            "ml_shadow_rows_failed_total": shadows.failed,
            "prediction_records_written_total": records.written if records is not None else 0,
            "prediction_records_dropped_total": records.dropped if records is not None else 0,
            "process_cpu_seconds_total": processor_seconds(),
        }
        amounts: dict[str, float] = {
            "ml_models_loaded_bytes": cache.bytes,
            "prediction_records_waiting": records.waiting if records is not None else 0,
        }
        levels: dict[str, float] = {"ml_models_loaded_total": sum(slot.predictor is not None for slot in champions)}
        return Share(self._ledger.tally, counts, amounts, levels)

    def _counted(self, share: Share, processes: list[int]) -> Samples:
        known = self._callers.look()
        numbers = {**share.counts, **share.amounts, **share.levels, **process_figures(processes)}
        numbers |= {"http_requests_in_flight": share.tally.in_flight, "http_new_callers_total": known.new}
        models = {
            (slot.model, slot.number, slot.version.type, slot.reader.workload.name, alias): 1
            for (_, alias), slot in self._follower.routes.pointed.items()
        }
        callers = self._callers.counts()
        return {**alone(numbers), **_samples(share.tally), "http_callers": callers, "ml_model_info": models}


def _samples(tally: Tally) -> Samples:
    """A tally's own; copies, since other threads add to what they are made from."""
    arms = {**tally.arms, **tally.shadows}
    workloads: dict[str, int] = {}
    for (model, status), count in dict(tally.predictions).items():
        if status == "success" and model in tally.workloads:
            workload = tally.workloads[model]
            workloads[workload] = workloads.get(workload, 0) + count
    return {
        "http_requests_total": dict(tally.requests),
        "http_request_duration_seconds": dict(tally.request_seconds),
        "http_refused_total": dict(tally.refused),
        "ml_predictions_total": dict(tally.predictions),
        "ml_prediction_duration_seconds": dict(tally.prediction_seconds),
        "ml_prediction_errors_total": dict(tally.errors),
        "ml_arm_predictions_total": {labels: durations.answers for labels, durations in arms.items()},
        "ml_arm_prediction_duration_seconds": arms,
        "ml_batch_rows": dict(tally.batches),
        "ml_extrapolated_predictions_total": dict(tally.extrapolated),
        "ml_workload_predictions_total": workloads,
        "ml_preset_predictions_total": dict(tally.presets),
        "ml_feedback_total": dict(tally.feedback),
    }


def _family(metric: Description, samples: Mapping[Any, Any]) -> "Metric":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    kinds = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
    family: Any = kinds[metric.kind](metric.name, metric.meaning, labels=metric.labels)
    for values, value in samples.items():
        labels = [values] if isinstance(values, str) else [*map(str, values)]
        if isinstance(value, Histogram):
            family.add_metric(labels, value.buckets(), value.total)
        else:
            family.add_metric(labels, float(value))
    made: Metric = family
    return made
