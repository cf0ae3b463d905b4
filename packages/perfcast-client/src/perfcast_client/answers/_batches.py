"""Reading the answers to batches: columns as JSON, and Arrow streams."""

from collections.abc import Sequence
from typing import Any

import msgspec

from perfcast_client.answers._predictions import Batch

_BESIDE = ("lower", "upper", "extrapolated")


def read_columns(body: bytes) -> Batch:
    """A batch from JSON whose `columns` are lists."""
    document = msgspec.json.decode(body, type=dict[str, Any])
    return _batch(document["columns"], document)


def read_arrow(body: bytes) -> Batch:
    """A batch from an Arrow stream, whose schema says who answered."""
    import pyarrow as pa

    with pa.ipc.open_stream(body) as stream:
        table = stream.read_all()
    about = {name.decode(): value.decode() for name, value in (table.schema.metadata or {}).items()}
    return _batch({name: _values(table.column(name)) for name in table.column_names}, about)


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch of several by the same version."""
    if len(batches) == 1:
        return batches[0]
    columns = ("cost", *_BESIDE)
    return msgspec.structs.replace(
        batches[0], **{name: [value for batch in batches for value in getattr(batch, name)] for name in columns}
    )


def _batch(columns: dict[str, Any], about: dict[str, Any]) -> Batch:
    name = next((name for name in columns if name not in _BESIDE), None)
    if name is None:
        raise ValueError("no cost is in the answer")
    return Batch(
        cost_name=name,
        model_name=str(about["model_name"]),
        model_version=int(about["model_version"]),
        model_type=str(about["model_type"]),
        coverage=float(about["coverage"]),
        cost=columns[name],
        **{name: columns[name] for name in _BESIDE},
    )


def _values(column: Any) -> list[Any]:
    """A column as a list; where it has lists that are all empty, none is made for each row."""
    if hasattr(column.type, "value_type") and not any(len(chunk.flatten()) for chunk in column.chunks):
        empty: list[str] = []
        return [empty] * len(column)
    values: list[Any] = column.to_pylist()
    return values
