"""Aliases, traffic and a bounded cache over HTTP."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted
from tests.patience import PATIENCE_SECONDS, until

from perfcast.api import Services, create_app
from perfcast.monitoring import read_records
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.workloads import builtin_workloads, workload_from_document

MODEL = "/models/cpu-utilization"
CPU = builtin_workloads()["cpu-utilization"]
LOAD: dict[str, Any] = {
    "request_rate": 100,
    "active_users": 60,
    "db_connections": 25,
    "timestamp": "2026-03-02T14:05:00Z",
}
COSTS = {1: 25.0, 2: 50.0}


def version(client: TestClient, key: str = "", **body: Any) -> int:
    response = client.post("/predict", json=LOAD | body, headers={"X-Request-Key": key} if key else {})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["cpu_utilization"] == COSTS[answer["model_version"]]
    return int(answer["model_version"])


def split(client: TestClient, challenger: float) -> None:
    assert client.put(f"{MODEL}/aliases/challenger", json={"version": 2}).status_code == 200
    response = client.put(f"{MODEL}/traffic", json={"champion": 100 - challenger, "challenger": challenger})
    assert response.status_code == 200, response.text


def corrupt(registry: Registry, tmp_path: Path) -> int:
    added = registry.add("cpu-utilization", draft(CPU, weighted(CPU, request_rate=0.75)))
    (path,) = (path for path in (tmp_path / "artifacts").rglob(added.manifest.graph.sha256) if path.is_file())
    path.chmod(0o644)
    path.write_bytes(b"rotten")
    return added.number


def test_an_alias_is_set_moved_and_cleared_with_before_and_after(client: TestClient) -> None:
    moves = [
        client.put(f"{MODEL}/aliases/challenger", json={"version": 2}),
        client.put(f"{MODEL}/aliases/challenger", json={"version": "v1"}, headers={"If-Match": '"2"'}),
        client.delete(f"{MODEL}/aliases/challenger", headers={"If-Match": "1"}),
    ]
    assert [(move.json()["before"], move.json()["after"]) for move in moves] == [(None, 2), (2, 1), (1, None)]
    assert moves[0].headers["etag"] == '"2"'
    late = client.put(f"{MODEL}/aliases/challenger", json={"version": 2}, headers={"If-Match": '"1"'})
    assert late.status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"{MODEL}/aliases/champion", {"version": 2}, 422),
        ("PUT", f"{MODEL}/aliases/shadow", {"version": 9}, 422),
        ("PUT", f"{MODEL}/aliases/shadow", {"version": "a b"}, 422),
        ("PUT", f"{MODEL}/aliases/shadow", {}, 422),
        ("PUT", "/models/nowhere/aliases/shadow", {"version": 1}, 404),
        ("PUT", f"{MODEL}/traffic", {"champion": 90, "challenger": 10}, 422),
        ("PUT", f"{MODEL}/traffic", {"champion": 90}, 422),
        ("PUT", f"{MODEL}/traffic", {"champion": 90, "shadow": 10}, 422),
        ("PUT", f"{MODEL}/traffic", [1], 422),
        ("PUT", "/models/nowhere/traffic", {"champion": 100}, 404),
        ("GET", "/models/nowhere/traffic", None, 404),
        ("GET", "/models/nowhere/history", None, 404),
    ],
)
def test_what_can_not_be_is_refused(client: TestClient, method: str, path: str, body: object, status: int) -> None:
    response = client.request(method, path, json=body)
    assert response.status_code == status, response.text
    assert client.get(f"{MODEL}/traffic").json()["arms"].keys() == {"champion"}


def test_a_challenger_of_another_declaration_is_noted_and_degrades_nothing(
    client: TestClient, registry: Registry
) -> None:
    for values in (("a", "b"), ("b", "a")):
        feature = {"name": "zone", "type": "choice", "values": values}
        workload = workload_from_document({"name": "zones", "cost": {"name": "ms"}, "features": [feature]})
        registry.add("zones", draft(workload, weighted(workload, zone=1)))
    registry.point("zones", "champion", 1)
    until(lambda: client.post("/predict", json={"zone": "b"}).status_code == 200)
    assert client.put("/models/zones/aliases/challenger", json={"version": 2}).status_code == 200
    client.put("/models/zones/traffic", json={"champion": 0, "challenger": 100})
    assert client.post("/predict", json={"zone": "b"}).json()["model_version"] == 1
    until(lambda: client.get("/health").json()["status"] == "healthy")
    health, traffic = client.get("/health").json(), client.get("/models/zones/traffic").json()
    note = health["notes"]["zones@challenger"]
    assert note.startswith("isn't asked beside the champion, whose declaration differs ('zone' had the values a, b;")
    assert health["problems"] == {}
    assert traffic["arms"]["challenger"]["note"] == note
    assert client.get("/models").json()["models"]["zones"]["notes"] == {"challenger": note}
    assert client.get("/models/zones").json()["notes"] == {"challenger": note}
    client.delete("/models/zones/aliases/challenger")
    assert client.get("/health").json()["notes"] == {}
    assert "notes" not in client.get("/models").json()["models"]["zones"]


@pytest.mark.parametrize("alias", ["challenger", "shadow"])
def test_a_broken_version_becomes_neither_challenger_nor_shadow(
    client: TestClient, registry: Registry, tmp_path: Path, alias: str
) -> None:
    response = client.put(f"{MODEL}/aliases/{alias}", json={"version": corrupt(registry, tmp_path)})
    assert (response.status_code, response.json()["title"]) == (422, "Broken version")
    assert alias not in registry.model("cpu-utilization").aliases


def test_callers_are_split_by_their_key_and_stay_where_they_are(client: TestClient) -> None:
    split(client, 30)
    first = [version(client, f"key-{number}") for number in range(200)]
    assert first == [version(client, f"key-{number}") for number in range(200)]
    assert 30 < first.count(2) < 90
    split(client, 60)
    assert all(version(client, f"key-{number}") == 2 for number in range(200) if first[number] == 2)


def test_a_caller_without_a_key_is_known_by_its_address(client: TestClient) -> None:
    split(client, 50)
    assert len({version(client) for _ in range(20)}) == 1


def test_a_reference_with_a_version_or_an_alias_bypasses_the_split(client: TestClient) -> None:
    split(client, 100)
    assert version(client) == 2
    for reference, expected in (("cpu-utilization:1", 1), ("cpu-utilization@champion", 1), ("2", 2)):
        assert version(client, model_name=reference) == expected


def test_promoting_the_challenger_ends_the_split(client: TestClient) -> None:
    split(client, 30)
    client.post("/models/2/activate")
    assert {version(client, f"key-{number}") for number in range(50)} == {2}
    entry = client.get("/models").json()["models"]["cpu-utilization"]
    assert entry["traffic"] == {"champion": 100, "challenger": 0}
    assert entry["aliases"] == {"champion": 2, "challenger": 2}


def test_traffic_shows_what_each_arm_did_and_its_split_as_etag(client: TestClient) -> None:
    split(client, 50)
    answered = [version(client, f"key-{number}") for number in range(100)]
    response = client.get(f"{MODEL}/traffic")
    assert response.headers["etag"] == '"50:50"'
    arms = response.json()["arms"]
    assert (arms["champion"]["version"], arms["challenger"]["share"]) == (1, 50)
    assert arms["champion"]["predictions"] == answered.count(1)
    assert arms["challenger"]["predictions"] == answered.count(2)
    assert arms["challenger"]["mean_ms"] > 0
    metrics = client.get("/metrics").text
    labels = 'arm="challenger",model_name="cpu-utilization",version="2"'
    assert f"ml_arm_predictions_total{{{labels}}} {answered.count(2)}.0" in metrics
    assert f"ml_arm_prediction_duration_seconds_count{{{labels}}} {answered.count(2)}.0" in metrics
    assert 'ml_predictions_total{model_name="cpu-utilization",status="success"} 100.0' in metrics


@pytest.mark.parametrize(
    ("expected", "status"), [('"100:0"', 200), ("100:0", 200), ("*", 200), ('"90:10"', 409), ("a", 422), ("1:2", 422)]
)
def test_if_match_decides_a_race_for_the_split(client: TestClient, expected: str, status: int) -> None:
    client.put(f"{MODEL}/aliases/challenger", json={"version": 2})
    body = {"champion": 80, "challenger": 20}
    response = client.put(f"{MODEL}/traffic", json=body, headers={"If-Match": expected})
    assert response.status_code == status
    assert client.get(f"{MODEL}/traffic").json()["challenger"] == (20 if status == 200 else 0)


def test_the_history_tells_moves_and_splits_newest_first(client: TestClient) -> None:
    split(client, 30)
    client.delete(f"{MODEL}/aliases/challenger")
    document = client.get(f"{MODEL}/history?limit=3").json()
    assert document["total_events"] == 4
    told = [(event["kind"], event["alias"], event["after"], event["share_after"]) for event in document["history"]]
    assert told == [
        ("point", "challenger", None, 0),
        ("traffic", "challenger", 2, 30),
        ("point", "challenger", 2, None),
    ]


def test_records_say_whose_answer_it_was_and_what_the_shadow_said(client: TestClient, registry: Registry) -> None:
    split(client, 100)
    client.put(f"{MODEL}/aliases/shadow", json={"version": 1})
    ids = [client.post("/predict", json=LOAD | {"request_rate": rate}).json()["prediction_id"] for rate in range(20)]
    named = client.post("/predict", json=LOAD | {"model_name": "cpu-utilization:1"}).json()["prediction_id"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    kept: set[tuple[str, str, int, float]] = set()
    while len(kept) < 41:
        assert time.monotonic() < deadline, kept
        with registry._database.read() as connection:
            rows = list(read_records(connection))
        kept = {(row.id, row.arm, row.version, row.cost) for row in rows}
    expected = {(name, "challenger", 2, rate * 0.5) for rate, name in enumerate(ids)}
    expected |= {(name, "shadow", 1, rate * 0.25) for rate, name in enumerate(ids)}
    assert kept == expected | {(named, "named", 1, 25.0)}


@pytest.fixture
def small(tmp_path: Path, registry: Registry) -> Iterator[TestClient]:
    """A server whose cache holds one graph; there are two more models beside the default one."""
    for weight, name in ((1, "second"), (2, "third")):
        registry.add(name, draft(CPU, weighted(CPU, request_rate=weight)))
        registry.point(name, "champion", 1)
    settings: Settings = load_settings(data_dir=tmp_path, refresh_seconds=0.05, model_cache_size="100")
    with TestClient(create_app(settings, services=Services(settings)), raise_server_exceptions=False) as client:
        yield client


def test_models_that_are_not_in_memory_are_usable_and_loaded_when_asked(small: TestClient) -> None:
    def loaded() -> list[str]:
        return [name for name, entry in small.get("/models").json()["models"].items() if entry["loaded"]]

    assert small.get("/readyz").status_code == 200
    assert loaded() == ["cpu-utilization"]
    for _ in range(2):
        for name, cost in (("second", 100.0), ("third", 200.0), (None, 25.0)):
            response = small.post("/predict", json=LOAD | {"model_name": name})
            assert response.json()["cpu_utilization"] == cost
            assert loaded() == [name or "cpu-utilization"]
    assert small.get("/health").json()["status"] != "unhealthy"
    metrics = small.get("/metrics").text
    assert "ml_models_loaded_total 1.0" in metrics
    assert "ml_model_evictions_total 6.0" in metrics


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 0), ("0", 0), ("100MB", 100_000_000), ("50 mb", 50_000_000), ("1GiB", 2**30), ("1.5k", 1500), ("7", 7)],
)
def test_the_cache_size_is_read_as_people_write_it(text: str, size: int) -> None:
    assert load_settings(model_cache_size=text).model_cache_size == size
