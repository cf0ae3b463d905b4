"""Batches that are too large, damaged, or of what no column may hold."""

import io
import json
import struct
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.unit.api.batch.tables import CNN, read, table, written

from perfcast.api import Services
from perfcast.api.batch import ARROW, CSV, JSON, PARQUET
from perfcast.api.batch._arrow_messages import is_compressed


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
    assert client.post("/predict/batch", json=[]).json()["results"] == []
