"""What is pushed is what `/metrics` shows, in OTLP's terms."""

import time

import pytest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from tests.collector import Collector, attributes, exported_to_collector
from tests.patience import until

from perfcast.telemetry import MetricsPush


def families() -> list[object]:
    requests = CounterMetricFamily("http_requests", "Requests answered", labels=("route", "status"))
    requests.add_metric(["/predict", "200"], 41)
    requests.add_metric(["/predict", "422"], 1)
    seconds = HistogramMetricFamily("http_request_duration_seconds", "Time of a request", labels=("route",))
    seconds.add_metric(["/predict"], [("0.001", 5.0), ("0.01", 8.0), ("+Inf", 10.0)], 1.25)
    loaded = GaugeMetricFamily("ml_models_loaded_total", "Models in memory", value=3.0)
    nothing = CounterMetricFamily("nothing_yet", "No sample", labels=("a",))
    return [requests, seconds, loaded, nothing, InfoMetricFamily("build", "What this is", {"version": "1"})]


@pytest.fixture
def pushed() -> Collector:
    """A collector after one push, at the end."""
    with exported_to_collector() as (received, exported):
        MetricsPush(exported, families, since=1000.0).close()
    return received


def test_counters_gauges_and_histograms_keep_names_labels_and_values(pushed: Collector) -> None:
    ((resource, metrics),) = pushed.pushes
    assert (resource["service.name"], "service.instance.id" in resource) == ("tried", True)
    counted = metrics["http_requests_total"].sum
    assert (counted.is_monotonic, counted.aggregation_temporality) == (True, 2)
    assert {tuple(attributes(point.attributes).values()): point.as_double for point in counted.data_points} == {
        ("/predict", "200"): 41.0,
        ("/predict", "422"): 1.0,
    }
    assert counted.data_points[0].start_time_unix_nano == 1000 * 10**9
    assert [point.as_double for point in metrics["ml_models_loaded_total"].gauge.data_points] == [3.0]
    assert metrics["http_requests_total"].description == "Requests answered"
    assert "nothing_yet_total" not in metrics
    assert attributes(metrics["build_info"].gauge.data_points[0].attributes) == {"version": "1"}


def test_buckets_that_count_all_below_become_buckets_that_count_what_lies_within(pushed: Collector) -> None:
    metric = pushed.pushes[0][1]["http_request_duration_seconds"]
    (point,) = metric.histogram.data_points
    assert (point.count, point.sum, list(point.explicit_bounds)) == (10, 1.25, [0.001, 0.01])
    assert list(point.bucket_counts) == [5, 3, 2]
    assert (metric.unit, point.HasField("min"), point.HasField("max")) == ("s", False, False)


def test_it_is_pushed_again_and_again_at_the_interval_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
    with exported_to_collector() as (received, exported):
        push = MetricsPush(exported, families, since=time.time())

        def look() -> bool:
            push.look()
            return len(received.pushes) >= 3

        until(look)
        push.close()
