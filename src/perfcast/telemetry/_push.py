"""The metrics of `/metrics`, pushed: Prometheus' families are turned into OTLP's, nothing is counted twice."""

import os
import time
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

import structlog

from perfcast.telemetry._export import CLOSING_SECONDS, Exporting

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import Metric, MetricsData

_USUAL_MILLISECONDS = 60_000.0
_UNITS = {"seconds": "s", "bytes": "By", "percent": "%"}

log = structlog.stdlib.get_logger("perfcast.telemetry")


class MetricsPush:
    """Sends what `collect` gives every `OTEL_METRIC_EXPORT_INTERVAL` milliseconds.

    It is collected where `look` is called, which takes as long as a scrape, and sent by a thread: an endpoint that is
    gone disturbs nobody. While a push is under way the next is left out.

    Args:
        exported: How to send.
        collect: Gives Prometheus' families.
        since: When counting began, seconds since the epoch.
    """

    def __init__(self, exported: Exporting, collect: Callable[[], Iterable[Any]], *, since: float) -> None:
        self._exported, self._collect, self._since = exported, collect, int(since * 1e9)
        self._every = _seconds()
        self._next = time.monotonic() + self._every
        self._waiting: SimpleQueue[MetricsData | None] = SimpleQueue()
        self._thread = Thread(target=self._send, name="perfcast-metrics-push", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Push if it is time to; call it about once a second."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every
            self._push()

    def close(self) -> None:
        """Push what was counted last; waits two seconds at most."""
        self._push()
        self._waiting.put(None)
        self._thread.join(CLOSING_SECONDS)

    def _push(self) -> None:
        if self._waiting.empty():
            self._waiting.put(metrics_data(self._collect(), self._exported.resource, self._since))

    def _send(self) -> None:
        while (data := self._waiting.get()) is not None:
            assert self._exported.metrics is not None
            self._exported.metrics.export(data)  # says itself in the log what goes wrong


def metrics_data(families: Iterable[Any], resource: Any, since: int) -> "MetricsData":
    """Prometheus' families as OTLP's metrics, with the same names and labels.

    Args:
        families: `prometheus_client.Metric`s.
        resource: Whose they are.
        since: When counting began, nanoseconds since the epoch.
    """
    from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    at = time.time_ns()
    metrics = [metric for family in families for metric in _metrics(family, since, at)]
    scope = ScopeMetrics(InstrumentationScope("perfcast"), metrics, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _metrics(family: Any, since: int, at: int) -> "Iterable[Metric]":
    from opentelemetry.sdk.metrics import export as otlp

    cumulative = otlp.AggregationTemporality.CUMULATIVE
    if family.type == "histogram":
        points = _histogram_points(family, since, at)
        yield otlp.Metric(family.name, family.documentation, _unit(family.name), otlp.Histogram(points, cumulative))
        return
    by_name: dict[str, list[Any]] = {}
    for sample in family.samples:
        point = otlp.NumberDataPoint(sample.labels, since, at, float(sample.value))
        by_name.setdefault(sample.name, []).append(point)
    for name, numbers in by_name.items():
        if not name.endswith("_created"):
            total = otlp.Sum(numbers, cumulative, is_monotonic=True) if family.type == "counter" else None
            yield otlp.Metric(name, family.documentation, _unit(name), total or otlp.Gauge(numbers))


def _unit(name: str) -> str:
    """As UCUM has it."""
    return next((unit for word, unit in _UNITS.items() if word in name.split("_")), "1")


def _histogram_points(family: Any, since: int, at: int) -> list[Any]:
    """One point for each set of labels; Prometheus' buckets count all that lie below, OTLP's those within."""
    from opentelemetry.sdk.metrics.export import HistogramDataPoint

    points = []
    for labels, parts in _by_labels(family).items():
        bounds = sorted(bound for bound in parts["buckets"] if bound != float("inf"))
        below = [parts["buckets"][bound] for bound in bounds]
        count = int(parts["buckets"][float("inf")])
        counts = [int(upper - lower) for lower, upper in zip([0, *below], [*below, count], strict=True)]
        unknown: Any = None  # Prometheus keeps neither the least nor the greatest
        point = HistogramDataPoint(dict(labels), since, at, count, parts["sum"], counts, bounds, unknown, unknown)
        points.append(point)
    return points


def _by_labels(family: Any) -> dict[tuple[tuple[str, str], ...], dict[str, Any]]:
    found: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for sample in family.samples:
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        parts = found.setdefault(labels, {"buckets": {}, "sum": 0.0})
        if sample.name.endswith("_bucket"):
            parts["buckets"][float(sample.labels["le"])] = sample.value
        elif sample.name.endswith("_sum"):
            parts["sum"] = float(sample.value)
    return found


def _seconds() -> float:
    try:
        milliseconds = float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", "").strip() or _USUAL_MILLISECONDS)
    except ValueError:
        milliseconds = _USUAL_MILLISECONDS
    return max(0.1, milliseconds / 1000)
