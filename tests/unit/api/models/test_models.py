"""Models over HTTP: what there is, and which version answers."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted

from perfcast.registry import Registry
from perfcast.workloads import builtin_workloads

LOAD: dict[str, Any] = {
    "request_rate": 100,
    "active_users": 60,
    "db_connections": 25,
    "timestamp": "2026-03-02T14:05:00Z",
}


def cost(client: TestClient) -> float:
    return float(client.post("/predict", json=LOAD).json()["cpu_utilization"])


def test_a_model_shows_all_its_versions_and_its_champion_as_etag(client: TestClient) -> None:
    response = client.get("/models/cpu-utilization")
    assert response.headers["etag"] == '"1"'
    assert [version["version"] for version in response.json()["versions"]] == [1, 2]
    assert response.json()["versions"][0]["aliases"] == ["champion"]


def test_activation_answers_before_and_after_and_has_switched_when_it_answers(client: TestClient) -> None:
    for number, expected in ((2, 50.0), (1, 25.0), (2, 50.0)):
        answer = client.post(f"/models/cpu-utilization:{number}/activate").json()
        assert answer["after"] == number
        assert cost(client) == expected


def test_deactivation_returns_to_the_champion_before_and_then_to_none(client: TestClient) -> None:
    client.post("/models/2/activate")
    first = client.post("/models/cpu-utilization/deactivate").json()
    assert (first["before"], first["after"], cost(client)) == (2, 1, 25.0)
    second = client.post("/models/1/deactivate").json()
    assert (second["before"], second["after"]) == (1, None)
    response = client.post("/predict", json=LOAD)
    assert response.status_code == 503
    assert "perfcast models activate" in response.json()["detail"]


def test_only_the_champion_can_be_deactivated_by_its_number(client: TestClient) -> None:
    response = client.post("/models/2/deactivate")
    assert response.status_code == 409
    assert "1 is" in response.json()["detail"]


@pytest.mark.parametrize(("expected", "status"), [('"1"', 200), ("1", 200), ("*", 200), ('"2"', 409), ('"none"', 409)])
def test_if_match_decides_a_race(client: TestClient, expected: str, status: int) -> None:
    response = client.post("/models/2/activate", headers={"If-Match": expected})
    assert response.status_code == status
    assert cost(client) == (50.0 if status == 200 else 25.0)


def test_an_if_match_that_is_no_version_is_422(client: TestClient) -> None:
    response = client.post("/models/2/activate", headers={"If-Match": "new"})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "If-Match")


def test_a_broken_version_can_not_displace_a_working_one(
    client: TestClient, registry: Registry, tmp_path: Path
) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    added = registry.add("cpu-utilization", draft(workload, weighted(workload, request_rate=0.75)))
    (path,) = (path for path in (tmp_path / "artifacts").rglob(added.manifest.graph.sha256) if path.is_file())
    path.chmod(0o644)
    path.write_bytes(b"rotten")
    response = client.post(f"/models/{added.number}/activate")
    assert (response.status_code, response.json()["title"]) == (422, "Broken version")
    assert registry.model("cpu-utilization").aliases["champion"] == 1
    assert cost(client) == 25.0


@pytest.mark.parametrize("path", ["/models/nowhere", "/models/nowhere/metrics", "/models/cpu-utilization:9/metrics"])
def test_an_unknown_name_in_a_path_is_404(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_an_unknown_version_can_not_be_activated(client: TestClient) -> None:
    assert client.post("/models/9/activate").status_code == 404
