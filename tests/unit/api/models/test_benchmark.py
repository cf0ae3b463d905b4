"""`GET /benchmark/{model}`."""

import pytest
from starlette.testclient import TestClient

from perfcast.api import Services
from perfcast.registry import Registry


def test_latencies_and_held_out_metrics_are_told(client: TestClient) -> None:
    answer = client.get("/benchmark/cpu-utilization?iterations=200").json()
    assert (answer["model_name"], answer["model_version"], answer["iterations"]) == ("cpu-utilization", 1, 200)
    assert answer["successful_predictions"] == 200
    ordered = [answer[f"{name}_latency_ms"] for name in ("min", "p50", "p95", "p99", "max")]
    assert ordered == sorted(ordered)
    assert answer["predictions_per_second"] == pytest.approx(1000 / answer["avg_latency_ms"], rel=0.01)
    assert answer["metrics"] == {"rows": 10, "mae": 1.5, "rmse": 2.0, "r2": 0.9}


def test_it_is_measured_once_unless_asked_anew(client: TestClient) -> None:
    first = client.get("/benchmark/cpu-utilization").json()
    again = client.get("/benchmark/cpu-utilization").json()
    assert (first["cached"], again["cached"]) == (False, True)
    assert again["timestamp"] == first["timestamp"]
    assert client.get("/benchmark/cpu-utilization?iterations=5").json()["cached"] is False
    assert client.get("/benchmark/cpu-utilization?fresh=true").json()["cached"] is False


def test_it_is_measured_anew_when_the_version_changes(
    client: TestClient, registry: Registry, services: Services
) -> None:
    client.get("/benchmark/cpu-utilization")
    for version in (2, 1):
        registry.point("cpu-utilization", "champion", version)
        services.follower.refresh()
        answer = client.get("/benchmark/cpu-utilization").json()
        assert (answer["model_version"], answer["cached"]) == (version, False)


@pytest.mark.parametrize("iterations", ["0", "10001", "many"])
def test_iterations_have_bounds(client: TestClient, iterations: str) -> None:
    response = client.get(f"/benchmark/cpu-utilization?iterations={iterations}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "iterations"


def test_an_unknown_model_is_404(client: TestClient) -> None:
    response = client.get("/benchmark/cpu-utilisation")
    assert response.status_code == 404
    assert "did you mean 'cpu-utilization'" in response.json()["detail"]


def test_one_runs_at_a_time(client: TestClient, services: Services) -> None:
    services.benchmarks._running = True
    response = client.get("/benchmark/cpu-utilization")
    assert response.status_code == 503
    assert response.headers["retry-after"]
