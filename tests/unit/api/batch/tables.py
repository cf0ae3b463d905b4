"""Columns of convolutions in each form."""

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from perfcast.api.batch import ARROW, CSV, JSON

CNN = {"input_channels": 3, "input_height": 224, "input_width": 224, "output_channels": 64, "kernel_size": 3}


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
