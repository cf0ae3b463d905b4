"""`POST /predict/batch` in each form, against the whole application in this process."""

import json
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pytest
from starlette.testclient import TestClient
from tests.unit.api.batch.tables import CNN, read, table, written

from perfcast.api import Services
from perfcast.api.batch import ARROW, CSV, JSON, PARQUET
from perfcast.monitoring import read_records

LOAD = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}


def convolution(batch_size: int, **further: Any) -> dict[str, Any]:
    return {"model_name": "conv", "cnn_config": {"batch_size": batch_size, **CNN}, **further}


def single(client: TestClient, body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/predict", json=body).json()
    return without_name(answer)


def without_name(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in ("prediction_id", "prediction_timestamp")}


def batch(client: TestClient, body: Any) -> dict[str, Any]:
    response = client.post("/predict/batch", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_each_item_is_answered_as_predict_answers_it(client: TestClient) -> None:
    bodies = [
        convolution(7),
        LOAD,
        convolution(600, coverage=0.5),
        {"model_name": "conv:1", "features": {**CNN, "batch_size": 3}},
    ]
    answer = batch(client, bodies)
    assert list(answer) == ["results", "total_requests", "successful_predictions", "timestamp"]
    assert [without_name(item) for item in answer["results"]] == [single(client, body) for body in bodies]
    assert answer["results"][2]["extrapolated"] == ["batch_size"]


def test_a_long_list_keeps_its_order_and_names_every_prediction_anew(client: TestClient) -> None:
    bodies = [convolution(1 + place % 500, coverage=0.8 if place % 7 else 0.95) for place in range(4000)]
    answer = batch(client, bodies)
    assert [item["execution_time_ms"] for item in answer["results"]] == [1.125 + place % 500 for place in range(4000)]
    assert [item["coverage"] for item in answer["results"][:8]] == [0.95, *[0.8] * 6, 0.95]
    assert len({item["prediction_id"] for item in answer["results"]}) == 4000
    assert answer["successful_predictions"] == 4000
    for place in (0, 1, 3999):
        assert without_name(answer["results"][place]) == single(client, bodies[place])


def test_a_bad_item_fails_alone_and_says_what_predict_says(client: TestClient) -> None:
    bad = [
        {"model_name": "conv", "cnn_config": {}},
        convolution(0),
        convolution(1) | {"model_name": "conw"},
        convolution(1, coverage=0.7),
        LOAD | {"timestamp": "soon"},
    ]
    answer = batch(client, [*([convolution(1)] * 900), *bad, 5, convolution(2)])
    assert (answer["total_requests"], answer["successful_predictions"]) == (907, 901)
    for body, item in zip(bad, answer["results"][900:905], strict=True):
        assert item == {
            "status": "error",
            "error": client.post("/predict", json=body).json()["detail"],
            "model_name": body.get("model_name"),
        }
    assert answer["results"][905]["error"] == "body: expected an object of features, got a number"
    assert answer["results"][906]["execution_time_ms"] == 2.125


def test_text_that_looks_like_the_end_of_an_item_cuts_nothing(client: TestClient) -> None:
    strange = {"model_name": "},{" * 70_000, "cnn_config": {"batch_size": 1, **CNN}}
    answer = batch(client, [convolution(1), strange, convolution(2)])
    assert [item["status"] for item in answer["results"]] == ["success", "error", "success"]


def test_a_version_that_is_not_loaded_is_loaded(client: TestClient) -> None:
    answer = batch(client, [LOAD | {"model_name": "cpu-utilization:2"}, LOAD])
    assert [item["model_version"] for item in answer["results"]] == [2, 1]


@pytest.mark.parametrize("body", ["[1,", "", "[{]", "nothing", '"text"', "5", "[{}}"])
def test_what_is_no_list_is_refused(client: TestClient, body: str) -> None:
    response = client.post("/predict/batch", content=body)
    assert response.status_code == 422
    assert "list of /predict bodies" in response.json()["detail"]


def test_an_empty_list_is_answered(client: TestClient) -> None:
    assert batch(client, [])["results"] == []


def test_items_are_recorded_as_predictions(client: TestClient, services: Services) -> None:
    answer = batch(client, [convolution(7), convolution(8)])
    assert services.records is not None
    services.records.flush()
    with services.database.begin() as connection:
        rows = list(read_records(connection))
    assert [row.id for row in rows] == [item["prediction_id"] for item in answer["results"]]
    assert rows[0].row[0] == 7
    assert rows[0].cost == pytest.approx(7.125)


def test_items_are_counted(client: TestClient) -> None:
    batch(client, [convolution(7), convolution(8), {"model_name": "conv", "cnn_config": {}}])
    text = client.get("/metrics").text
    assert 'ml_predictions_total{model_name="conv",status="success"} 2.0' in text


@pytest.mark.parametrize("kind", [JSON, ARROW, CSV, PARQUET])
@pytest.mark.parametrize("wanted", [JSON, ARROW, CSV, PARQUET])
def test_columns_come_back_as_columns_in_the_form_that_is_asked_for(client: TestClient, kind: str, wanted: str) -> None:
    rows = table(4500)
    body = json.dumps({"columns": rows.to_pydict()}).encode() if kind == JSON else written(kind, rows)
    headers = {"Content-Type": kind, "Accept": wanted}
    response = client.post("/predict/batch?model_name=conv", content=body, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith(wanted)
    assert response.headers["x-model-version"] == "conv:1"
    columns = read(wanted, response.content)
    assert list(columns) == ["execution_time_ms", "lower", "upper", "extrapolated"]
    sizes = rows["batch_size"].to_pylist()
    assert columns["execution_time_ms"] == [size + 0.125 for size in sizes]
    assert columns["lower"][0] == pytest.approx((sizes[0] + 0.125) / 1.1, rel=1e-6)
    none, outside = ("", "batch_size") if wanted == CSV else ([], ["batch_size"])
    assert columns["extrapolated"] == [outside if size > 512 else none for size in sizes]


def test_the_schemas_metadata_may_name_model_and_coverage(client: TestClient) -> None:
    rows = table(3).replace_schema_metadata({"model_name": "conv:1", "coverage": "0.95"})
    response = client.post("/predict/batch", content=written(ARROW, rows), headers={"Content-Type": ARROW})
    metadata = pa.ipc.open_stream(response.content).schema.metadata
    assert (metadata[b"model_name"], metadata[b"model_version"], metadata[b"coverage"]) == (b"conv", b"1", b"0.95")


def test_columns_alone_tell_the_workload(client: TestClient) -> None:
    answer = batch(client, {"columns": {name: [value, value] for name, value in LOAD.items()}})
    assert (answer["model_name"], answer["model_version"], answer["total_requests"]) == ("cpu-utilization", 1, 2)
    assert answer["columns"]["cpu_utilization"][0] == single(client, LOAD)["cpu_utilization"]


def test_nulls_take_defaults_and_bounds_that_are_not_promised_are_null(client: TestClient) -> None:
    columns = {name: [value] for name, value in CNN.items()} | {"batch_size": [1], "stride": [None]}
    answer = batch(client, {"model_name": "conv", "coverage": 0.99, "columns": columns})
    assert answer["columns"] == {"execution_time_ms": [1.125], "lower": [None], "upper": [None], "extrapolated": [[]]}


@pytest.mark.parametrize("kind", [JSON, ARROW, CSV, PARQUET])
def test_one_bad_row_refuses_all_columns_and_is_named(client: TestClient, kind: str) -> None:
    rows = table(4000)
    sizes = rows["batch_size"].to_numpy().copy()
    sizes[[5, 3999]] = 0
    rows = rows.set_column(0, "batch_size", pa.array(sizes))
    body = json.dumps({"columns": rows.to_pydict()}).encode() if kind == JSON else written(kind, rows)
    response = client.post("/predict/batch?model_name=conv", content=body, headers={"Content-Type": kind})
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"field": "batch_size", "message": "must be between 1 and 4096, got 0 (2 rows: 5, 3999, counted from 0)"}
    ]


@pytest.mark.parametrize("kind", [ARROW, PARQUET])
def test_bytes_that_are_not_of_their_form_are_refused(client: TestClient, kind: str) -> None:
    whole = written(kind, table(100))
    for body in (b"", b"nonsense", whole[: len(whole) // 2]):
        response = client.post("/predict/batch?model_name=conv", content=body, headers={"Content-Type": kind})
        assert response.status_code == 422, body
        assert response.json()["errors"][0]["field"] == "body"


def test_an_unknown_model_of_columns_is_400_after_the_features(client: TestClient) -> None:
    columns = {name: [value] for name, value in CNN.items()} | {"batch_size": [1]}
    response = client.post("/predict/batch", json={"model_name": "conw", "columns": columns})
    assert response.status_code == 400
    assert "did you mean 'conv'" in response.json()["detail"]
    wrong = client.post("/predict/batch", json={"model_name": "conw", "columns": columns | {"batch_size": [0]}})
    assert wrong.status_code == 422


@pytest.mark.parametrize("coverage", ["0.7", "much"])
def test_a_coverage_that_is_not_offered_is_refused(client: TestClient, coverage: str) -> None:
    content = written(ARROW, table(2))
    response = client.post(
        f"/predict/batch?model_name=conv&coverage={coverage}", content=content, headers={"Content-Type": ARROW}
    )
    assert response.status_code == 422


def test_rows_are_counted_for_the_arm_that_answered(client: TestClient) -> None:
    batch(client, [convolution(7), convolution(8)])
    client.post("/predict/batch?model_name=conv", content=written(ARROW, table(30)), headers={"Content-Type": ARROW})
    text = client.get("/metrics").text
    assert 'ml_arm_predictions_total{arm="champion",model_name="conv",version="1"} 32.0' in text
    assert client.get("/models/conv/traffic").json()["arms"]["champion"]["predictions"] == 32
