"""`POST /predict/batch` in each form, against the whole application in this process."""

import io
import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.drafts import draft, weighted

from perfcast.api import Services, create_app
from perfcast.api.batch import ARROW, CSV, JSON, PARQUET
from perfcast.api.batch._arrow_messages import is_compressed
from perfcast.monitoring import read_records
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.workloads import builtin_workloads

CNN = {"input_channels": 3, "input_height": 224, "input_width": 224, "output_channels": 64, "kernel_size": 3}
LOAD = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}


@pytest.fixture
def registry(registry: Registry) -> Registry:
    workload = builtin_workloads()["cnn-execution-time"]
    graph = weighted(workload, batch_size=1, stride=0.125)
    registry.add("conv", draft(workload, graph, ranges={"batch_size": (1.0, 512.0)}))
    registry.point("conv", "champion", 1)
    return registry


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Bodies of `/predict` are short here, so that a batch shows its own limits."""
    given = settings.model_dump() | {"max_batch_rows": 5000, "max_batch_bytes": 2_000_000}
    return load_settings(**given)


@pytest.fixture
def client(settings: Settings, services: Services, registry: Registry) -> Iterator[TestClient]:
    with TestClient(create_app(settings, services=services), raise_server_exceptions=False) as client:
        yield client


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


def table(rows: int) -> pa.Table:
    sizes = np.arange(1, rows + 1, dtype=np.float32) % 600 + 1
    return pa.table({"batch_size": sizes, **{name: np.full(rows, value) for name, value in CNN.items()}})


def written(kind: str, content: pa.Table) -> bytes:
    sink = io.BytesIO()
    if kind == ARROW:
        with pa.ipc.new_stream(sink, content.schema) as writer:
            writer.write_table(content, max_chunksize=1000)
    elif kind == CSV:
        pa.csv.write_csv(content, sink)
    else:
        pq.write_table(content, sink)
    return sink.getvalue()


def read(kind: str, content: bytes) -> dict[str, list[Any]]:
    if kind == JSON:
        columns: dict[str, list[Any]] = json.loads(content)["columns"]
        return columns
    if kind == ARROW:
        found = pa.ipc.open_stream(content).read_all()
    elif kind == CSV:
        found = pa.csv.read_csv(io.BytesIO(content))
    else:
        found = pq.read_table(io.BytesIO(content))
    columns = found.to_pydict()
    assert isinstance(columns, dict)
    return columns


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


@pytest.mark.parametrize("kind", [JSON, ARROW, CSV, PARQUET, "list"])
def test_too_many_rows_are_413(client: TestClient, kind: str) -> None:
    rows = table(5001)
    if kind == "list":
        body = json.dumps([{"model_name": "conv", "cnn_config": row} for row in rows.to_pylist()]).encode()
        kind = JSON
    else:
        body = json.dumps({"columns": rows.to_pydict()}).encode() if kind == JSON else written(kind, rows)
    response = client.post("/predict/batch?model_name=conv", content=body, headers={"Content-Type": kind})
    assert response.status_code == 413
    assert "MAX_BATCH_ROWS" in response.json()["detail"]


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
@pytest.mark.parametrize("values", [pa.array(["x" * 1000] * 500), pa.array(["x" * 1000] * 500).dictionary_encode()])
def test_a_compressed_stream_is_refused_before_it_is_unpacked(client: TestClient, codec: str, values: pa.Array) -> None:
    sink = io.BytesIO()
    content = pa.table({"batch_size": values})
    with pa.ipc.new_stream(sink, content.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(content)
    response = client.post("/predict/batch", content=sink.getvalue(), headers={"Content-Type": ARROW})
    assert response.status_code == 422
    assert "without compression" in response.json()["detail"]


def test_columns_of_few_values_may_come_as_dictionaries(client: TestClient) -> None:
    rows = table(2000)
    plain = client.post("/predict/batch?model_name=conv", content=written(ARROW, rows), headers={"Content-Type": ARROW})
    few = rows.set_column(0, "batch_size", rows.column(0).dictionary_encode())
    again = client.post("/predict/batch?model_name=conv", content=written(ARROW, few), headers={"Content-Type": ARROW})
    assert again.status_code == 200
    assert read(ARROW, again.content) == read(ARROW, plain.content)


@given(st.binary(max_size=200))
def test_any_head_of_a_message_is_read_or_refused(head: bytes) -> None:
    try:
        assert is_compressed(head) in (True, False)
    except struct.error:
        return


@pytest.mark.parametrize("kind", [ARROW, PARQUET])
def test_a_long_text_that_many_rows_share_is_refused_before_each_has_its_own(client: TestClient, kind: str) -> None:
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(4000, np.int8)), pa.array(["x" * 100_000]))
    body = written(kind, pa.table({"batch_size": text}))
    assert len(body) < 1_000_000
    response = client.post("/predict/batch", content=body, headers={"Content-Type": kind})
    assert response.status_code == 422
    assert "batch_size: a text has 100,000 bytes" in response.json()["detail"]


def test_a_long_text_that_many_views_share_is_refused(client: TestClient) -> None:
    views = np.zeros((4000, 4), dtype="<i4")
    views[:, 0] = 100_000
    views[:, 1] = int.from_bytes(b"xxxx", "little")
    buffers = [None, pa.py_buffer(views.tobytes()), pa.py_buffer(b"x" * 100_000)]
    content = pa.table({"batch_size": pa.Array.from_buffers(pa.string_view(), 4000, buffers)})
    response = client.post("/predict/batch", content=written(ARROW, content), headers={"Content-Type": ARROW})
    assert response.status_code == 422
    assert "a text has 100,000 bytes" in response.json()["detail"]


def test_a_stream_of_the_format_before_arrow_1_is_refused(client: TestClient) -> None:
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(metadata_version=pa.ipc.MetadataVersion.V4)
    with pa.ipc.new_stream(sink, table(3).schema, options=options) as writer:
        writer.write_table(table(3))
    response = client.post("/predict/batch", content=sink.getvalue(), headers={"Content-Type": ARROW})
    assert response.status_code == 422


@pytest.mark.parametrize("kind", [ARROW, PARQUET])
def test_columns_of_lists_are_refused(client: TestClient, kind: str) -> None:
    content = pa.table({"batch_size": pa.array([[1, 2], [3]])})
    response = client.post("/predict/batch", content=written(kind, content), headers={"Content-Type": kind})
    assert response.status_code == 422
    assert "batch_size: expected numbers or text" in response.json()["detail"]


@pytest.mark.parametrize("kind", [ARROW, PARQUET])
def test_durations_are_refused_without_advice_for_commands(client: TestClient, kind: str) -> None:
    content = pa.table({name: [value] for name, value in CNN.items()} | {"batch_size": pa.array([3], pa.duration("s"))})
    response = client.post(
        "/predict/batch?model_name=conv", content=written(kind, content), headers={"Content-Type": kind}
    )
    assert response.status_code == 422
    assert "holds duration[" in response.json()["detail"]
    assert "give numbers" in response.json()["detail"]
    assert "--" not in response.json()["detail"]


def test_a_line_of_names_without_end_is_refused(client: TestClient) -> None:
    body = b"," * 100_000 + b"\n1\n"
    response = client.post("/predict/batch", content=body, headers={"Content-Type": CSV})
    assert response.status_code == 422
    assert "line of names" in response.json()["detail"]


@pytest.mark.parametrize("wanted", [CSV, JSON])
def test_comments_of_a_text_file_are_left_out_and_counted_however_wide(client: TestClient, wanted: str) -> None:
    names = ",".join(["batch_size", *CNN])
    row = ",".join(map(str, CNN.values()))
    lines = [names, "# one cell", f"1,{row}", "# a cell a name" + "é" * 300 + "," * len(CNN), f"2,{row}"]
    headers = {"Content-Type": CSV, "Accept": wanted}
    response = client.post("/predict/batch?model_name=conv", content="\n".join(lines).encode(), headers=headers)
    assert response.status_code == 200, response.text
    assert read(wanted, response.content)["execution_time_ms"] == [1.125, 2.125]
    assert response.headers["x-notes"] == "a line that begins with # is a comment (rows: 2)"
    plain = client.post("/predict/batch?model_name=conv", content="\n".join(lines[::2]).encode(), headers=headers)
    assert "x-notes" not in plain.headers


def test_a_long_text_in_a_text_file_refuses_its_row(client: TestClient) -> None:
    row = ",".join(map(str, CNN.values()))
    body = "\n".join([",".join(["batch_size", *CNN]), f"1,{row}", f"{'x' * 100_000},{row}"]).encode()
    response = client.post("/predict/batch?model_name=conv", content=body, headers={"Content-Type": CSV})
    assert (response.status_code, len(response.text) < 2000) == (422, True)
    assert "batch_size: expected a whole number, got 'xxx" in response.json()["detail"]
    assert "(row 1, counted from 0)" in response.json()["detail"]


def test_rows_are_counted_for_the_arm_that_answered(client: TestClient) -> None:
    batch(client, [convolution(7), convolution(8)])
    client.post("/predict/batch?model_name=conv", content=written(ARROW, table(30)), headers={"Content-Type": ARROW})
    text = client.get("/metrics").text
    assert 'ml_arm_predictions_total{arm="champion",model_name="conv",version="1"} 32.0' in text
    assert client.get("/models/conv/traffic").json()["arms"]["champion"]["predictions"] == 32


def test_a_body_that_is_too_long_is_413_before_it_is_read(client: TestClient) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"["
        yield b" " * 2_000_001
        yield b"]"

    response = client.post("/predict/batch", content=b"[" + b" " * 2_000_000 + b"]")
    assert response.status_code == 413
    assert "MAX_BATCH_BYTES" in response.json()["detail"]
    assert client.post("/predict/batch", content=pieces()).status_code == 413


def test_bodies_beyond_what_memory_shall_hold_are_503(client: TestClient, services: Services) -> None:
    with services.batches.room(2_000_000), services.batches.room(2_000_000):
        response = client.post("/predict/batch", json=[])
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert batch(client, [])["results"] == []
