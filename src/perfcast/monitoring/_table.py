"""Recorded predictions as a table, for tools that read Parquet, CSV or Arrow."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from perfcast.monitoring._history import Kind
from perfcast.monitoring._records import Record

if TYPE_CHECKING:
    import pyarrow as pa

_BEFORE = ("id", "at", "model", "version", "arm")
_AFTER = ("cost", "lower", "upper", "coverage")
ROWS = 20_000
"""Rows of one table, and of one row group."""


class RecordTable:
    """What columns the records of some versions have, and the records in such columns.

    `id`, `at`, `model`, `version`, `arm`; the features by name; `cost`, `lower`, `upper`, `coverage`. Versions may have
    different features: those that a version hasn't are null. A feature that has the name of another column is called
    `feature_NAME`.

    Args:
        features: The features of each version, in the order of its rows.
    """

    def __init__(self, features: Mapping[Kind, Sequence[str]]) -> None:
        import pyarrow as pa

        self._names = {kind: [_column(name) for name in names] for kind, names in features.items()}
        self._features = list(dict.fromkeys(name for names in self._names.values() for name in names))
        self._places = {name: place for place, name in enumerate(self._features)}
        texts, dictionary = pa.string(), pa.dictionary(pa.int32(), pa.string())
        kinds_of_columns = {"id": texts, "at": pa.timestamp("us", "UTC"), "model": dictionary, "arm": dictionary}
        kinds_of_columns |= {"version": pa.int32()}
        names_in_order = (*_BEFORE, *self._features, *_AFTER)
        self.schema = pa.schema([(name, kinds_of_columns.get(name, pa.float64())) for name in names_in_order])

    def knows(self, record: Record) -> bool:
        """Whether there are columns for it: its version had none yet when the table was begun."""
        return (record.model, record.version) in self._names

    def table(self, records: Sequence[Record]) -> "pa.Table":
        """The records, a row each."""
        import pyarrow as pa

        features: list[list[float | None]] = [[None] * len(records) for _ in self._features]
        for row, record in enumerate(records):
            for name, value in zip(self._names[record.model, record.version], record.row, strict=False):
                features[self._places[name]][row] = value
        columns: dict[str, Any] = {name: [getattr(one, name) for one in records] for name in (*_BEFORE, *_AFTER)}
        columns["at"] = [datetime.fromisoformat(one.at) for one in records]
        columns |= dict(zip(self._features, features, strict=True))
        return pa.table([pa.array(columns[field.name], field.type) for field in self.schema], schema=self.schema)

    def tables(self, blocks: Iterable[Sequence[Record]]) -> "Iterator[pa.Table]":
        """The records of many blocks, so many rows at a time."""
        held: list[Record] = []
        for block in blocks:
            held += block
            while len(held) >= ROWS:
                yield self.table(held[:ROWS])
                held = held[ROWS:]
        if held:
            yield self.table(held)


def _column(name: str) -> str:
    return f"feature_{name}" if name in (*_BEFORE, *_AFTER) else name
