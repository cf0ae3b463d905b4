"""Prometheus' text is read, and quantiles estimated as Prometheus does."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from perfcast.ui.parts.monitoring import Look, quantile, read

TEXT = r"""
# HELP asked_total Requests
# TYPE asked_total counter
asked_total{route="/a",status="200"} 3.0
asked_total{route="/a",status="500"} 1
asked_total{route="/b",status="200"} 4e+01 1700000000000
odd_total{name="a \"quoted\" {x=1}, back\\slash\nand line"} 2
bare 7.5
endless +Inf
this is no sample
"""


@pytest.fixture
def found() -> Look:
    return read(TEXT, 12.0)


def test_samples_are_found_by_name_and_labels(found: Look) -> None:
    assert found.at == 12.0
    assert found.value("asked_total") == 44.0
    assert found.value("asked_total", route="/a") == 4.0
    assert found.of("asked_total", route="/a", status="500") == [({"route": "/a", "status": "500"}, 1.0)]
    assert found.by("status", "asked_total") == {"200": 43.0, "500": 1.0}


def test_what_is_not_there_is_none_not_zero(found: Look) -> None:
    assert found.value("nothing_total") is None
    assert found.value("asked_total", route="/c") is None
    assert found.by("status", "nothing_total") == {}


def test_labels_may_hold_anything_and_values_need_no_labels(found: Look) -> None:
    assert found.by("name", "odd_total") == {'a "quoted" {x=1}, back\\slash\nand line': 2.0}
    assert (found.value("bare"), found.value("endless")) == (7.5, math.inf)
    assert set(found.samples) == {"asked_total", "odd_total", "bare", "endless"}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")))
def test_labels_that_prometheus_client_writes_are_read(text: str) -> None:
    registry = CollectorRegistry()
    Counter("asked", "Requests", ["name"], registry=registry).labels(text).inc(2)
    assert read(generate_latest(registry).decode(), 0.0).by("name", "asked_total") == {text: 2.0}


def test_a_quantile_lies_in_its_bucket_as_prometheus_says() -> None:
    buckets = {"0.1": 10.0, "0.2": 30.0, "+Inf": 40.0}
    assert quantile(buckets, 0.25) == pytest.approx(0.1)
    assert quantile(buckets, 0.5) == pytest.approx(0.15)
    assert quantile(buckets, 0.99) == pytest.approx(0.2)  # beyond the last bound: that bound


def test_without_observations_there_is_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({"0.1": 0.0, "+Inf": 0.0}, 0.5) is None


@given(st.lists(st.floats(0.001, 9.0), min_size=1, max_size=60), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    bounds = [0.01, 0.1, 1.0, 10.0]
    registry = CollectorRegistry()
    histogram = Histogram("took_seconds", "Time", buckets=bounds, registry=registry)
    for value in values:
        histogram.observe(value)
    found = quantile(read(generate_latest(registry).decode(), 0.0).by("le", "took_seconds_bucket"), share)
    true = sorted(values)[math.ceil(share * len(values) - 1e-9) - 1]
    left, right = next((a, b) for a, b in zip([0.0, *bounds], bounds, strict=False) if true <= b)
    assert found is not None
    assert left <= found <= right
