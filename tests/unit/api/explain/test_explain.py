"""Why a prediction is what it is, over HTTP and on the command line."""

import json
import sys
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted

from perfcast.api.explain._answers import Explanation
from perfcast.cli import main
from perfcast.manifest import BUDGETS, Chart, Reference
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.workloads import builtin_workloads
from perfcast_client import calls

CPU = builtin_workloads()["cpu-utilization"]
MODEL = "cpu-utilization"
BACKGROUND = ((20.0, 10, 5, 0, 1, 0, 1, 0), (60.0, 30, 15, 1, 0, 0, 1, 1))
LOAD = {"request_rate": 100, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}


@pytest.fixture
def explainable(registry: Registry) -> Registry:
    """A champion that keeps two usual rows: its cost is half the rate and a tenth of the users."""
    chart = Chart(1.0, 0.5, 4.0, {str(budget): 8.0 for budget in BUDGETS})
    reference = Reference({}, chart, chart, 50.0, rows=10, days=5, method="5 days", background=BACKGROUND)
    made = draft(CPU, weighted(CPU, request_rate=0.5, active_users=0.1))
    made = type(made)(made.graph, msgspec.structs.replace(made.manifest, reference=reference))
    registry.point(MODEL, "champion", registry.add(MODEL, made).number)
    return registry


def amounts(found: dict[str, Any]) -> dict[str, float]:
    return {one["feature"]: one["contribution"] for one in found["contributions"]}


@pytest.mark.usefixtures("explainable")
def test_contributions_come_to_the_prediction(client: TestClient) -> None:
    answer = client.post("/explain", json={"model_name": MODEL, "features": LOAD})
    assert answer.status_code == 200
    found = answer.json()
    Explanation.model_validate(found, strict=True)
    assert found["prediction"] == pytest.approx(56)
    assert found["base_value"] == pytest.approx(22)
    expected = {"request_rate": 30, "active_users": 4, "db_connections": 0, "timestamp": 0}
    assert amounts(found) == pytest.approx(expected, abs=1e-4)
    assert found["contributions"][0] == {
        "feature": "request_rate", "value": 100, "contribution": pytest.approx(30), "factor": None
    }  # fmt: skip
    assert calls.explain(LOAD).read(answer.content).prediction == found["prediction"]


@pytest.mark.usefixtures("explainable")
def test_a_body_without_a_model_is_explained_by_its_default(client: TestClient) -> None:
    assert client.post("/explain", json=LOAD).json()["model_name"] == MODEL


def test_a_version_without_usual_rows_says_what_to_do(client: TestClient) -> None:
    answer = client.post("/explain", json={"model_name": f"{MODEL}:1", "features": LOAD})
    assert answer.status_code == 422
    assert "train the model again" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({**LOAD, "request_rate": -1}, 422, "request_rate"),
        ({"model_name": "nobody", "features": LOAD}, 400, "nobody"),
        ([], 422, "body"),
        ({"features": {**LOAD, "request_rate": "many"}}, 422, "request_rate"),
    ],
)
@pytest.mark.usefixtures("explainable")
def test_bad_bodies_are_refused_as_by_predict(client: TestClient, body: Any, status: int, told: str) -> None:
    answer, as_predicted = client.post("/explain", json=body), client.post("/predict", json=body)
    assert answer.status_code == as_predicted.status_code == status
    assert told in answer.json()["detail"]
    assert answer.json()["detail"] == as_predicted.json()["detail"]


@pytest.mark.usefixtures("explainable")
def test_the_command_shows_a_table_or_json(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(settings.data_dir))
    words = ["perfcast", "explain", *(f"{name}={value}" for name, value in LOAD.items())]
    for more in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", [*words, *more])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        shown = capsys.readouterr().out
        if more:
            assert amounts(json.loads(shown))["request_rate"] == pytest.approx(30)
        else:
            lines = shown.splitlines()
            assert lines[2].split() == ["usual", "–", "22"]
            assert lines[3].split() == ["request_rate", "100", "30"]
            assert lines[-1].split() == ["prediction", "–", "56"]
