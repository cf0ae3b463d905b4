"""`POST /predict`: order of checks, problem details, request ids, limits, records."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.patience import PATIENCE_SECONDS

from perfcast.api import Services, create_app
from perfcast.monitoring import read_records
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import Database

LOAD: dict[str, Any] = {
    "request_rate": 120,
    "active_users": 60,
    "db_connections": 25,
    "hour_sin": 0.5,
    "hour_cos": 0.866,
    "minute_sin": 0.2588,
    "minute_cos": 0.9659,
    "is_business_hour": 1,
}


def test_an_answer_has_the_contracts_fields_in_the_predecessors_order(client: TestClient) -> None:
    answer = client.post("/predict", json=LOAD).json()
    assert list(answer)[:5] == ["cpu_utilization", "model_name", "model_type", "prediction_timestamp", "status"]
    assert answer["prediction_timestamp"].endswith("Z")
    assert {name: answer[name] for name in ("cpu_utilization", "lower", "upper", "coverage", "model_version")} == {
        "cpu_utilization": 30.0,
        "lower": 28.0,
        "upper": 32.0,
        "coverage": 0.9,
        "model_version": 1,
    }


def test_an_answer_to_a_query_is_not_to_be_cached(client: TestClient) -> None:
    for query, status in ((LOAD, 200), (LOAD | {"request_rate": -1}, 422)):
        response = client.get("/predict", params=query)
        assert (response.status_code, response.headers["cache-control"]) == (status, "no-store")


def test_bad_features_are_told_before_an_unknown_model(client: TestClient) -> None:
    response = client.post("/predict", json={"model_name": "nowhere", **LOAD, "request_rate": -1})
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["request_rate"]


def test_an_unknown_model_in_a_body_is_400_with_the_closest(client: TestClient) -> None:
    response = client.post("/predict", json={"model_name": "cpu-utilisation", **LOAD})
    assert response.status_code == 400
    assert "did you mean 'cpu-utilization'" in response.json()["detail"]


def test_an_unknown_model_is_told_before_that_nothing_is_usable(client: TestClient, registry: Registry) -> None:
    registry.point("cpu-utilization", "champion", None)
    assert client.post("/predict", json={"model_name": "nowhere", **LOAD}).status_code == 400


def test_a_named_version_answers_though_it_is_not_champion(client: TestClient) -> None:
    for reference in ("cpu-utilization:2", "2", "v2"):
        answer = client.post("/predict", json={"model_name": reference, "features": LOAD}).json()
        assert (answer["cpu_utilization"], answer["model_version"]) == (60.0, 2)


def test_a_problem_is_rfc_9457_with_a_request_id(client: TestClient) -> None:
    response = client.post("/predict", json={}, headers={"X-Request-ID": "order-66"})
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:perfcast:problem:invalid-input"
    assert (problem["title"], problem["status"], problem["request_id"]) == ("Invalid input", 422, "order-66")
    assert isinstance(problem["detail"], str)
    assert {"field": "request_rate", "message": "is required"} in problem["errors"]


@pytest.mark.parametrize("given", ["a b", "x" * 200, "<script>", 'a"b'])
def test_a_request_id_that_can_not_be_repeated_safely_is_replaced(client: TestClient, given: str) -> None:
    made = client.post("/predict", json=LOAD, headers={"X-Request-ID": given}).headers["x-request-id"]
    assert made != given
    assert len(made) <= 32


def test_a_request_id_is_returned_by_every_route(client: TestClient) -> None:
    for path in ("/health", "/nowhere", "/models"):
        assert client.get(path, headers={"X-Request-ID": "id-1"}).headers["x-request-id"] == "id-1"


def test_a_body_over_the_limit_is_413_whether_or_not_its_length_is_announced(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b" " * 1000] * 5

    for body in (b" " * 5000, pieces()):
        response = client.post("/predict", content=body)
        assert response.status_code == 413
        assert "MAX_BODY_BYTES" in response.json()["detail"]
    assert client.post("/models/1/activate", content=b" " * 5000).status_code == 413


def test_a_body_in_pieces_is_read_whole(client: TestClient) -> None:
    text = json.dumps(LOAD).encode()
    assert client.post("/predict", content=iter([text[:10], text[10:]])).status_code == 200


def test_an_empty_registry_is_503_and_says_what_to_do(settings: Settings) -> None:
    with TestClient(create_app(settings)) as client:
        response = client.post("/predict", json=LOAD)
        assert response.status_code == 503
        assert response.headers["retry-after"]
        assert "perfcast up" in response.json()["detail"]
        assert client.post("/predict", json={"request_rate": "x"}).status_code == 422
        assert client.get("/readyz").status_code == 503


def test_wrong_paths_and_methods_are_problems_too(client: TestClient) -> None:
    missing, wrong = client.get("/nowhere"), client.put("/predict")
    assert (missing.status_code, missing.json()["title"]) == (404, "Not Found")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, POST")
    assert "allowed: GET, POST" in wrong.json()["detail"]


def test_every_answer_is_recorded_soon(client: TestClient, settings: Settings) -> None:
    names = [client.post("/predict", json=LOAD).json()["prediction_id"] for _ in range(20)]
    assert sorted(set(names)) == names
    database = Database(settings.database_address)
    deadline = time.monotonic() + PATIENCE_SECONDS
    rows: list[Any] = []
    while len(rows) < 20 and time.monotonic() < deadline:
        with database.read() as connection:
            rows = list(read_records(connection))
    database.close()
    assert [row.id for row in rows] == names
    assert (rows[0].model, rows[0].version, rows[0].cost, rows[0].lower) == ("cpu-utilization", 1, 30.0, 28.0)
    assert list(rows[0].row) == list(LOAD.values())


@pytest.mark.usefixtures("registry")
def test_records_that_wait_are_written_when_the_application_ends(settings: Settings) -> None:
    slow = settings.model_copy(update={"prediction_log_seconds": 1.0})
    services = Services(slow)
    with TestClient(create_app(slow, services=services)) as client:
        for _ in range(5):
            client.post("/predict", json=LOAD)
    assert services.records is not None
    assert (services.records.written, services.records.dropped) == (5, 0)
