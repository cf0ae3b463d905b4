"""Datasets as Parquet files."""

import io
import json
from typing import Any

import numpy as np

from perfcast.datasets._dataset import Dataset
from perfcast.errors import InvalidData
from perfcast.tables import TIME
from perfcast.workloads import workload_from_document

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


def from_parquet(data: bytes) -> Dataset:
    """Read what `to_parquet` wrote, declaration included.

    Raises:
        InvalidData: The bytes are no such file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise InvalidData(f"not a Parquet file: {error}") from None
    metadata = (table.schema.metadata or {}).get(_METADATA.encode())
    if metadata is None:
        raise InvalidData("a Parquet file, but not one that Perfcast wrote: take it in with perfcast data import")
    about = json.loads(metadata)
    workload = workload_from_document(about["workload"])
    missing = {*workload.feature_names, workload.cost.name} - {*table.column_names}
    if missing:
        raise InvalidData(f"dataset '{about['name']}' lacks the columns {', '.join(sorted(missing))}")
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    features = np.stack([columns[name] for name in workload.feature_names], axis=1, dtype=np.float32)
    moments = columns[TIME].astype("datetime64[us]") if TIME in columns else None
    cost = columns[workload.cost.name].astype(np.float32)
    return Dataset(about["name"], workload, features, cost, moments, about["provenance"])
