"""What Prometheus is shown: every metric by its name, kind and labels, each from where it comes."""

from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from perfcast.api.metrics import METRICS

LOAD = {"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}
MODEL = "cpu-utilization"


def families(client: TestClient) -> dict[str, Any]:
    """Every family by the name that is exposed."""
    found = text_string_to_metric_families(client.get("/metrics").text)
    return {f"{one.name}_total" if one.type == "counter" else one.name: one for one in found}


def value(client: TestClient, name: str, **labels: str) -> float | None:
    """One sample's value; None where there is no such."""
    family = families(client).get(name)
    samples = [] if family is None else family.samples
    return next((one.value for one in samples if one.name == name and one.labels == labels), None)


def test_what_is_shown_is_in_the_catalogue_with_its_kind_and_its_labels(client: TestClient) -> None:
    client.post("/predict", json=LOAD)
    client.post("/predict", json={})
    shown = families(client)
    assert set(shown) <= set(METRICS)
    for name, family in shown.items():
        assert (family.type, family.documentation) == (METRICS[name].kind, METRICS[name].meaning)
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == set(METRICS[name].labels), name
    assert {"http_requests_total", "ml_predictions_total", "process_resident_memory_bytes"} <= set(shown)
