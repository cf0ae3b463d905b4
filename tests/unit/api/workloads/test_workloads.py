"""`GET /workloads`: what the form of a workload is made from."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted

from perfcast.api.workloads._answers import WorkloadDetails, WorkloadList
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.workloads import load_workload, workload_from_document

OWN = """
name: shop
title: A shop
cost: {name: cpu, unit: percent, minimum: 0}
features:
  - {name: rate, unit: requests/s, minimum: 0, trend: increasing, meaning: Arrivals}
  - {name: zone, type: choice, values: [east, west], default: west}
  - {name: cached, type: flag, default: true}
  - {name: pods, type: integer, minimum: 1, default: 3}
derived: [{name: rate_per_pod, expression: rate / pods}]
rules: [{check: pods <= rate + 1, field: pods, message: must not be more than there are requests}]
presets: [{name: noon, title: Noon, group: A day, features: {rate: 7, zone: east}}]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folder = tmp_path / "workloads"
    folder.mkdir()
    (folder / "shop.yaml").write_text(OWN)
    (folder / "wrong.yaml").write_text(OWN.replace("name: shop", "name: wrong").replace("rate: 7", "rate: -7"))
    return load_settings(data_dir=tmp_path, workloads_dir=folder, refresh_seconds=0.05)


def asked(client: TestClient, path: str) -> dict[str, Any]:
    response = client.get(path)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    (WorkloadList if path == "/workloads" else WorkloadDetails).model_validate(found, strict=True)
    return found


def test_all_workloads_are_listed_with_what_can_not_be_used(client: TestClient) -> None:
    found = asked(client, "/workloads")
    assert list(found["workloads"]) == [
        "cnn-execution-time",
        "convolution-across-devices",
        "cpu-utilization",
        "operator-execution-time",
        "shop",
    ]
    assert found["total_workloads"] == 5
    cpu, shop = found["workloads"]["cpu-utilization"], found["workloads"]["shop"]
    assert (cpu["declared"], cpu["default_model"], cpu["models"]) == (
        "built-in",
        "cpu-utilization",
        ["cpu-utilization"],
    )
    assert (shop["declared"], shop["default_model"], shop["models"], shop["presets"]) == ("yours", None, [], 1)
    (wrong,) = found["not_loaded"]
    assert "wrong.yaml: presets[0] 'noon': rate: must be at least 0, got -7" in wrong["reason"]


def test_a_declaration_is_told_whole_with_bounds_defaults_and_rules(client: TestClient) -> None:
    found = asked(client, "/workloads/shop")
    assert found["cost"] == {
        "name": "cpu",
        "unit": "percent",
        "minimum": 0.0,
        "maximum": None,
        "relative": False,
        "meaning": "",
    }
    rate, zone, cached, pods = found["features"]
    assert rate == {
        "name": "rate",
        "type": "number",
        "unit": "requests/s",
        "minimum": 0.0,
        "maximum": None,
        "required": True,
        "default": None,
        "values": [],
        "trend": "increasing",
        "clock": False,
        "meaning": "Arrivals",
    }
    assert (zone["values"], zone["default"], zone["required"], zone["maximum"]) == (
        ["east", "west"],
        "west",
        False,
        None,
    )
    assert (cached["minimum"], cached["maximum"], cached["default"]) == (0, 1, True)
    assert (pods["minimum"], pods["default"]) == (1, 3)
    assert found["derived"] == [{"name": "rate_per_pod", "expression": "rate / pods", "trend": None, "meaning": ""}]
    assert found["rules"][0]["message"] == "must not be more than there are requests"
    assert (found["series"], found["takes_timestamp"], found["wrapper"]) == (True, False, None)
    assert found["presets"] == [
        {
            "name": "noon",
            "title": "Noon",
            "group": "A day",
            "features": {"rate": 7, "zone": "east", "cached": 1, "pods": 3},
            "stated": ["rate", "zone"],
        }
    ]


def test_every_preset_of_a_workload_with_a_model_is_answered_by_it(client: TestClient) -> None:
    found = asked(client, "/workloads/cpu-utilization")
    assert found["takes_timestamp"] is True
    assert found["models"] == [{"name": "cpu-utilization", "champion": 1, "differences": []}]
    assert len(found["presets"]) >= 8
    for preset in found["presets"]:
        answer = client.post("/predict", json={"model_name": "cpu-utilization", "features": preset["features"]})
        assert answer.status_code == 200, preset
        assert answer.json()["cpu_utilization"] == pytest.approx(0.25 * preset["features"]["request_rate"])


def test_a_model_that_reads_by_another_declaration_says_how_it_differs(
    client: TestClient, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "before.yaml").write_text(OWN.replace("minimum: 1, default: 3", "minimum: 1, default: 2"))
    before = load_workload(tmp_path / "before.yaml")
    registry.add("shop", draft(before, weighted(before, rate=1.0)))
    registry.point("shop", "champion", 1)
    client.post("/models/shop:1/activate")
    (model,) = asked(client, "/workloads/shop")["models"]
    assert model == {"name": "shop", "champion": 1, "differences": ["'pods' had the default 2.0; now 3.0"]}


@pytest.mark.parametrize("answers", [True, False], ids=["champion", "candidate"])
def test_a_workload_that_only_a_version_declares_is_there_too(
    client: TestClient, registry: Registry, *, answers: bool
) -> None:
    document = {"name": "queries", "cost": {"name": "query_ms"}, "features": [{"name": "rows"}]}
    workload = workload_from_document(document)
    registry.add("queries", draft(workload, weighted(workload, rows=1.0)))
    if answers:
        client.post("/models/queries:1/activate")
    found = asked(client, "/workloads/queries")
    assert found["declared"] == "queries:1"
    assert found["models"] == [{"name": "queries", "champion": 1 if answers else None, "differences": []}]
    assert "queries" in asked(client, "/workloads")["workloads"]


def test_an_unknown_workload_names_the_closest(client: TestClient) -> None:
    response = client.get("/workloads/cpu-utilisation")
    assert response.status_code == 404
    assert "did you mean 'cpu-utilization'" in response.json()["detail"]
