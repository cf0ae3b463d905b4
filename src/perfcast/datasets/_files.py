"""Datasets as Parquet files."""

import io
import json
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from perfcast.datasets._dataset import Dataset, moment_text
from perfcast.errors import InvalidData
from perfcast.tables import TIME, Moments
from perfcast.workloads import Rows, Workload, workload_from_document

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_METADATA = "perfcast"


def to_parquet(dataset: Dataset) -> bytes:
    """The dataset as a Parquet file that carries its name, workload and provenance."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = dict(zip(dataset.workload.feature_names, dataset.features.T, strict=True))
    columns[dataset.workload.cost.name] = dataset.cost
    if dataset.measured_at is not None:
        columns[TIME] = dataset.measured_at.astype("datetime64[us]")
    about = {"name": dataset.name, "workload": dataset.workload.document(), "provenance": dict(dataset.provenance)}
    table = pa.table(columns).replace_schema_metadata({_METADATA: json.dumps(about, default=str)})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def open_parquet(file: BinaryIO) -> "tuple[pq.ParquetFile, Workload, dict[str, Any]]":
    """What `to_parquet` wrote, without its rows: the file, the workload, and what else is known of the dataset.

    Raises:
        InvalidData: It is no such file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise InvalidData(f"not a Parquet file: {error}") from None
    metadata = (parquet.schema_arrow.metadata or {}).get(_METADATA.encode())
    if metadata is None:
        raise InvalidData("a Parquet file, but not one that Perfcast wrote: take it in with perfcast data import")
    about = json.loads(metadata)
    workload = workload_from_document(about["workload"])
    missing = {*workload.feature_names, workload.cost.name} - {*parquet.schema_arrow.names}
    if missing:
        raise InvalidData(f"dataset '{about['name']}' lacks the columns {', '.join(sorted(missing))}")
    return parquet, workload, about


def from_parquet(data: bytes) -> Dataset:
    """Read what `to_parquet` wrote, declaration included.

    Raises:
        InvalidData: The bytes are no such file.
    """
    import pyarrow as pa

    parquet, workload, about = open_parquet(io.BytesIO(data))
    try:
        table = parquet.read()
    except (pa.ArrowException, OSError) as error:
        raise InvalidData(f"not a Parquet file: {error}") from None
    features = np.stack([numbers_of(table, name) for name in workload.feature_names], axis=1)
    cost = numbers_of(table, workload.cost.name)
    return Dataset(about["name"], workload, features, cost, moments_of(table), about["provenance"])


def numbers_of(table: "pa.Table", name: str) -> Rows:
    """A column of what `to_parquet` wrote, float32 [rows]."""
    import pyarrow as pa

    return _values(table.column(name).cast(pa.float32(), safe=False), np.float32)


def moments_of(table: "pa.Table") -> Moments | None:
    """When its rows were measured, datetime64[us] [rows]; None where they have no time."""
    import pyarrow as pa

    if TIME not in table.column_names:
        return None
    return _values(table.column(TIME).cast(pa.timestamp("us"), safe=False), "datetime64[us]")


def _values(column: "pa.ChunkedArray", kind: Any) -> npt.NDArray[Any]:
    """The values of a column without missing ones; PyArrow's `to_numpy` would import pandas where that is installed."""
    parts = [np.frombuffer(chunk.buffers()[1], kind)[chunk.offset :][: len(chunk)] for chunk in column.chunks]
    return np.concatenate([np.zeros(0, kind), *parts])


def times_in_parquet(file: BinaryIO) -> tuple[str, str] | None:
    """When the first and the last row was measured, ISO 8601, UTC, read from the file's end alone; None without times.

    Raises:
        InvalidData: It is not what `to_parquet` wrote.
    """
    parquet, _, _ = open_parquet(file)
    if TIME not in parquet.schema_arrow.names:
        return None
    at = parquet.schema_arrow.names.index(TIME)
    groups = (parquet.metadata.row_group(number).column(at) for number in range(parquet.metadata.num_row_groups))
    known = [group.statistics for group in groups if group.statistics is not None and group.statistics.has_min_max]
    if not known:
        return None
    first, last = min(group.min for group in known), max(group.max for group in known)
    return moment_text(np.datetime64(first, "us")), moment_text(np.datetime64(last, "us"))
