"""KServe's version 1, MLflow's scoring server and queries answer and refuse what `/predict` does."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, linear_graph

from perfcast.api import Services
from perfcast.api.adapters import _answers as answers
from perfcast.api.http._lanes import Lanes
from perfcast.api.http._schemas import example_of
from perfcast.monitoring import read_records
from perfcast.registry import Registry
from perfcast.workloads import workload_from_document

V1, MLFLOW = "/v1/models/cpu-utilization:predict", "/invocations"
LOAD = answers.LOAD
VALUES = list(LOAD.values())
CSV = {"Content-Type": "text/csv; charset=utf-8"}


@pytest.fixture
def chosen(registry: Registry) -> None:
    """A model whose choices look like numbers."""
    features = [
        {"name": "size", "type": "number", "minimum": 0, "maximum": 10},
        {"name": "half", "type": "number", "default": "size / 2"},
        {"name": "kind", "type": "choice", "values": ["1.1", "1.10", "true"]},
    ]
    cost = {"name": "seconds", "unit": "s", "minimum": 0}
    workload = workload_from_document({"name": "chosen", "features": features, "cost": cost})
    registry.add("chosen", draft(workload, linear_graph([1.0, 10.0, 100.0])))
    registry.point("chosen", "champion", 1)


def send(client: TestClient, path: str, body: Any) -> Any:
    if path == "/csv":
        return client.post(MLFLOW, content=body, headers=CSV)
    return client.post(path, content=json.dumps(body))


def test_the_documented_examples_are_answered_as_documented(client: TestClient) -> None:
    for path, body in ((V1, answers.INSTANCES), (MLFLOW, answers.SCORING)):
        for example in body["content"]["application/json"]["examples"].values():
            answer = client.post(path, json=example["value"])
            assert (answer.status_code, answer.json()) == (200, example_of(answers.Predictions)), answer.text
    csv = answers.SCORING["content"]["text/csv"]["example"]
    assert client.post(MLFLOW, content=csv, headers=CSV).json() == example_of(answers.Predictions)
    assert client.get("/v1/models").json() == {"models": ["cpu-utilization"]}
    assert client.get("/v1/models/cpu-utilization:2").json() == {"name": "cpu-utilization:2", "ready": True}
    refused = client.get(V1)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (client.get("/ping").status_code, client.get("/ping").text) == (200, "\n")


def test_version_and_coverage_are_taken_from_where_each_form_has_them(client: TestClient) -> None:
    csv = ",".join(LOAD) + "\n" + ",".join(map(str, VALUES)) + "\n"
    asked = [
        client.post("/v1/models/cpu-utilization:2:predict", json={"instances": [VALUES], "coverage": 0.5}),
        client.post(MLFLOW, json={"inputs": [LOAD], "params": {"model_name": "cpu-utilization:2", "coverage": 0.5}}),
        client.post(f"{MLFLOW}?model_name=cpu-utilization:2&coverage=0.5", content=csv, headers=CSV),
    ]
    expected = client.post("/predict", json=LOAD | {"model_name": "cpu-utilization:2", "coverage": 0.5}).json()
    for answer in (response.json() for response in asked):
        assert answer["predictions"] == [expected["cpu_utilization"]] == [60]
        assert (answer["model_version"], answer["coverage"]) == (2, 0.5)
        assert (answer["lower"], answer["upper"]) == ([expected["lower"]], [expected["upper"]])


def test_comments_of_a_text_file_are_left_out_and_counted(client: TestClient) -> None:
    csv = ",".join(LOAD) + "\n# a comment\n" + ",".join(map(str, VALUES)) + "\n"
    response = client.post(MLFLOW, content=csv, headers=CSV)
    assert len(response.json()["predictions"]) == 1
    assert response.headers["x-notes"] == "a line that begins with # is a comment (rows: 1)"


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (V1, {"instances": []}, 422, "instances: give at least one row"),
        (V1, {"rows": [VALUES]}, 422, "body: expected an object with 'instances', a list"),
        (V1, {"instances": [LOAD, VALUES[:-1]]}, 422, "instances[1]: expected an object of features, or a list of 8"),
        (V1, {"instances": [LOAD, 5]}, 422, "instances[1]: expected an object of features, or a list of 8 values"),
        (V1, {"instances": [LOAD, LOAD | {"active_users": -1}]}, 422, "instances[1]: active_users: must be at least 0"),
        (V1, {"instances": [[float("nan"), *VALUES[1:]]]}, 422, "instances[0]: request_rate: expected a number"),
        (V1, {"instances": [LOAD], "coverage": 0.7}, 422, "coverage: expected one of 0.5"),
        (V1, {"instances": [{}] * 8}, 422, "instances: 3 more rows are wrong"),
        ("/v1/models/nowhere:predict", {"instances": [VALUES]}, 404, "unknown model 'nowhere'"),
        (MLFLOW, {"inputs": [LOAD], "params": {"model_name": "nowhere"}}, 400, "unknown model 'nowhere'"),
        (MLFLOW, {"inputs": [VALUES]}, 422, "model_name: is required where rows don't name their features"),
        (MLFLOW, {}, 422, "expected one of dataframe_split, dataframe_records, instances, inputs, got 0 of them"),
        (MLFLOW, {"inputs": [LOAD], "instances": [LOAD]}, 422, "got 2 of them"),
        (MLFLOW, {"inputs": {"request_rate": [1, 2], "active_users": [1]}}, 422, "inputs: its lists differ in length"),
        (MLFLOW, {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, 422, "names a column twice"),
        (MLFLOW, {"dataframe_records": [{"request_rate": 1}]}, 422, "dataframe_records[0]: active_users: is required"),
        (MLFLOW, {"inputs": [LOAD], "params": {"temperature": 1}}, 422, "unknown field `temperature`"),
        ("/csv", "request_rate\n-1\n", 422, "active_users: is required"),
    ],
)
def test_what_is_wrong_is_told_as_predict_tells_it(
    client: TestClient, path: str, body: Any, status: int, message: str
) -> None:
    answer = send(client, path, body)
    assert (answer.status_code, message in answer.json()["error"]) == (status, True), answer.text


def test_rows_are_counted_and_recorded_as_those_of_predict(client: TestClient, services: Services) -> None:
    client.post(V1, json={"instances": [VALUES, VALUES]})
    client.post(MLFLOW, json={"dataframe_records": [LOAD]})
    client.get("/predict", params=LOAD)
    assert services.tally.predictions == {("cpu-utilization", "success"): 4}
    assert services.records is not None
    services.records.flush()
    with services.database.begin() as connection:
        assert len(list(read_records(connection))) == 4


@pytest.mark.parametrize("path", [V1, MLFLOW, "/csv"])
def test_nothing_is_counted_or_recorded_of_a_request_with_a_bad_row(
    client: TestClient, services: Services, path: str
) -> None:
    wrong = LOAD | {"active_users": -1}
    csv = "\n".join(",".join(map(str, row)) for row in (LOAD, VALUES, list(wrong.values())))
    services.registry.point("cpu-utilization", "shadow", 2)
    services.follower.refresh()
    answer = send(client, path, csv if path == "/csv" else {"instances": [LOAD, wrong, LOAD]})
    assert (answer.status_code, "active_users" in answer.json()["error"]) == (422, True)
    assert services.tally.predictions == {}
    assert list(services.tally.arms.items()) == []
    assert services.records is not None
    services.records.flush()
    with services.database.begin() as connection:
        assert list(read_records(connection)) == []


def test_they_stand_in_the_lane_of_batches() -> None:
    lanes = Lanes(10, 2)
    for path in (MLFLOW, V1):
        assert lanes.of(path) is lanes.of("/predict/batch")
    assert lanes.of("/v1/models") is not lanes.of("/predict/batch")


def test_looks_at_rows_stand_in_a_lane_of_their_own_which_is_bounded() -> None:
    lanes = Lanes(10, 2)
    looks = {lanes.of(path) for path in ("/datasets/shop", "/datasets/shop/rows", "/models/shop:3/judged")}
    assert {lane.limit for lane in looks} == {8}
    assert len(looks) == 1
    assert looks.isdisjoint({lanes.of(path) for path in ("/datasets", "/models/shop:3/metrics", "/predict/batch")})


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"instances": [{}], "coverage": "x" * 1000}, 422, "coverage: expected one of 0.5"),
        ({"instances": [{}] * 4}, 413, "more than the 3 rows"),
        ({"instances": [{"request_rate": "\ud800"}]}, 422, "half a character"),
    ],
)
def test_what_would_grow_is_refused_before_it_does(
    client: TestClient, services: Services, body: Any, status: int, told: str
) -> None:
    services.batches.most_rows = 3
    answer = client.post(V1, content=json.dumps(body))
    assert (answer.status_code, told in answer.json()["detail"]) == (status, True), answer.json()["detail"]


def nameless(answer: dict[str, Any]) -> dict[str, Any]:
    names = ("prediction_id", "prediction_timestamp", "request_id")
    return {name: value for name, value in answer.items() if name not in names}


@pytest.mark.usefixtures("chosen")
def test_a_query_is_answered_as_the_same_body(client: TestClient) -> None:
    timed = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}
    for body in (
        LOAD,
        timed | {"model_name": "cpu-utilization:2", "coverage": 0.5},
        timed | {"request_rate": "+5"},
        timed | {"request_rate": "NaN"},
        LOAD | {"active_users": -1, "coverage": 0.7},
        LOAD | {"active_users": 1.5, "requestrate": 3},
        LOAD | {"model_name": "nowhere"},
        LOAD | {"features": "x"},
        {"size": 4, "kind": "1.1"},
        {"size": 4, "kind": "1.10", "model_name": "chosen:1"},
        {"size": 4, "half": 0, "kind": "true"},
        {"size": "1e999", "kind": "1.1"},
        {},
    ):
        asked, sent = client.get("/predict", params=body), client.post("/predict", json=body)
        assert (asked.status_code, nameless(asked.json())) == (sent.status_code, nameless(sent.json())), body
    assert client.get("/predict?size=4&kind=1.10").json()["seconds"] == 4 + 20 + 100
    twice = client.get("/predict?request_rate=1&request_rate=2")
    assert (twice.status_code, twice.json()["detail"]) == (422, "request_rate: is given twice")
