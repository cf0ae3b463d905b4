"""Health, metrics, the OpenAPI document."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted
from tests.patience import PATIENCE_SECONDS

from perfcast.api import Services, create_app
from perfcast.api.health._condition import Probe
from perfcast.errors import InvalidSetting
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import schema
from perfcast.workloads import builtin_workloads


def health_when(client: TestClient, status: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        health: dict[str, Any] = client.get("/health").json()
        if health["status"] == status:
            return health
        assert time.monotonic() < deadline, health


def test_a_well_service_is_healthy(client: TestClient) -> None:
    health = health_when(client, "healthy")
    assert health["models_loaded"] == 1
    assert set(health["system_info"]) == {"cpu_percent", "memory_percent", "disk_percent", "available_memory_gb"}
    assert set(health["dependencies"]) == {"database", "artifacts"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/").json()["service"] == "perfcast"


def test_a_champion_that_can_not_be_loaded_degrades_and_says_why(
    client: TestClient, registry: Registry, tmp_path: Path
) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    added = registry.add("cpu-utilization", draft(workload, weighted(workload, request_rate=0.75)))
    (path,) = (path for path in (tmp_path / "artifacts").rglob(added.manifest.graph.sha256) if path.is_file())
    path.unlink()
    registry.point("cpu-utilization", "champion", added.number)
    health = health_when(client, "degraded")
    assert "version 1 still answers" in health["problems"]["cpu-utilization"]


def test_without_a_usable_model_it_is_unhealthy(client: TestClient, registry: Registry) -> None:
    registry.point("cpu-utilization", "champion", None)
    health_when(client, "unhealthy")
    assert client.get("/health").status_code == 503


def test_a_draining_process_is_not_ready_but_alive(client: TestClient, services: Services) -> None:
    services.lifetime.draining = True
    assert client.get("/readyz").json()["reason"] == "draining"
    assert client.get("/livez").status_code == 200


def test_a_probe_tells_what_its_check_raised() -> None:
    def fail() -> None:
        raise OSError("no route to host")

    probe = Probe("store", fail, seconds=0.01)
    assert probe.state() == {"status": "starting"}
    probe.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while probe.state()["status"] == "starting" and time.monotonic() < deadline:
        pass
    assert probe.state() == {"status": "down", "reason": "no route to host"}
    probe.close()


def test_metrics_count_what_was_answered_under_bounded_labels(client: TestClient) -> None:
    load = {"request_rate": 1, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}
    client.post("/predict", json=load)
    client.post("/predict", json={"model_name": "<evil>", **load})
    client.get("/nowhere/<evil>")
    client.get("/models/cpu-utilization")
    text = client.get("/metrics").text
    for line in (
        'ml_predictions_total{model_name="cpu-utilization",status="success"} 1.0',
        'ml_predictions_total{model_name="unknown",status="error"} 1.0',
        'ml_prediction_duration_seconds_count{model_name="cpu-utilization"} 1.0',
        "ml_models_loaded_total 1.0",
        'http_requests_total{method="POST",route="/predict",status="200"} 1.0',
        'http_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'http_requests_total{method="GET",route="/models/{name}",status="200"} 1.0',
        'http_request_duration_seconds_count{route="/predict"} 2.0',
        "http_requests_in_flight 1.0",
    ):
        assert line in text.splitlines()
    assert "evil" not in text


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_documentation_is_served(client: TestClient, path: str) -> None:
    assert "html" in client.get(path).headers["content-type"]


def test_openapi_documents_predict_with_all_three_bodies(client: TestClient) -> None:
    predict = client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    examples = predict["requestBody"]["content"]["application/json"]["examples"]
    assert set(examples) == {"convolution", "load", "general"}
    assert set(predict["responses"]) == {"200", "400", "401", "403", "408", "413", "415", "422", "429", "503"}
    assert client.post("/predict", json=examples["load"]["value"]).status_code == 200
    assert client.post("/predict", json=examples["general"]["value"]).status_code == 200


LOAD = {"request_rate": 1, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}


@pytest.mark.parametrize(
    ("reference", "label"),
    [
        ("cpu-utilization", "cpu-utilization"),
        ("cpu-utilization:01", "cpu-utilization"),
        ("2", "cpu-utilization"),
        ("<evil>", "unknown"),
        ("nowhere", "unknown"),
        (None, "unknown"),
    ],
)
@pytest.mark.parametrize("wrong", ["-1", "NaN", '"x"'])
def test_a_refused_body_counts_on_the_loaded_model_that_it_names(
    client: TestClient, reference: str | None, label: str, wrong: str
) -> None:
    text = json.dumps({"model_name": reference, **LOAD}).replace('"request_rate": 1', f'"request_rate": {wrong}')
    assert client.post("/predict", content=text).status_code == 422
    lines = client.get("/metrics").text.splitlines()
    counted = [line for line in lines if line.startswith("ml_predictions_total")]
    assert counted == [f'ml_predictions_total{{model_name="{label}",status="error"}} 1.0']


def test_a_default_model_without_a_champion_degrades_while_another_answers(
    client: TestClient, registry: Registry
) -> None:
    workload = builtin_workloads()["cnn-execution-time"]
    registry.add("convolutions", draft(workload, weighted(workload, batch_size=1)))
    health = health_when(client, "degraded")
    assert "perfcast models activate convolutions:VERSION" in health["problems"]["convolutions"]
    assert client.get("/health").status_code == 200
    registry.point("convolutions", "champion", 1)
    assert health_when(client, "healthy")["problems"] == {}


@pytest.mark.usefixtures("registry")
def test_a_bad_workload_file_degrades_and_disturbs_no_request(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "workloads"
    folder.mkdir()
    (folder / "bad.yaml").write_text("name: [")
    (folder / "good.yaml").write_text("{name: queries, cost: {name: query_ms}, features: [{name: rows}]}")
    chosen = settings.model_copy(update={"workloads_dir": folder})
    with TestClient(create_app(chosen), raise_server_exceptions=False) as client:
        health = health_when(client, "degraded")
        assert list(health["problems"]) == [str(folder / "bad.yaml")]
        assert client.get("/health").status_code == 200
        for body, status in ((LOAD, 200), (LOAD | {"active_users": -1}, 422), ({}, 422), ({"rows": 5}, 503)):
            assert client.post("/predict", json=body).status_code == status
        (folder / "good.yaml").unlink()
        assert client.post("/predict", json={"rows": 5}).status_code == 503  # the folder was read once


def test_a_version_that_can_not_be_read_hides_no_other(client: TestClient, registry: Registry) -> None:
    with registry._database.begin() as connection:
        table = schema.version
        connection.execute(table.update().where(table.c.number == 2).values(manifest="{}"))
    versions = client.get("/models/cpu-utilization").json()["versions"]
    assert [version["version"] for version in versions] == [1, 2]
    assert "manifest can't be read" in versions[1]["problem"]
    registry.point("cpu-utilization", "champion", None)
    entry = client.get("/models").json()["models"]["cpu-utilization"]
    assert (entry["type"], "manifest can't be read" in entry["problem"]) == (None, True)
    response = client.post("/models/2/activate")
    assert (response.status_code, response.json()["title"]) == (422, "Broken version")


def test_health_says_where_models_run(client: TestClient) -> None:
    inference = client.get("/health").json()["inference"]
    assert (inference["device"], inference["provider"]) == ("cpu", "CPUExecutionProvider")


def test_nothing_is_served_where_the_device_that_was_asked_for_is_missing(settings: Settings) -> None:
    with pytest.raises(InvalidSetting, match="INFERENCE_DEVICE"):
        Services(settings.model_copy(update={"inference_device": "cuda"}))
