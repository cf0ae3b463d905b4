"""Rows as callers have them: columns, dicts, frames."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

_MANY_ROWS = 5_000
"""From so many on, columns are sent as Arrow where PyArrow is installed; its import costs more than it gains before."""


class Table(Protocol):
    """Rows that can be sent."""

    @property
    def rows(self) -> int:
        """How many."""

    def part(self, start: int, rows: int) -> "Table":
        """Some of them."""

    def arrow(self) -> bytes | None:
        """They as an Arrow stream; None where they had better go as lists."""

    def lists(self) -> Mapping[str, Sequence[Any]]:
        """They as lists, by name."""


def read_table(rows: Any) -> Table:
    """A table of what a caller gave.

    Raises:
        ValueError: It is none; says why.
    """
    frame = _frame(rows)
    if frame is not None:
        return frame
    if isinstance(rows, Mapping):
        return _Columns({name: _listed(name, values) for name, values in rows.items()})
    if isinstance(rows, Sequence) and all(isinstance(row, Mapping) for row in rows):
        names = dict.fromkeys(name for row in rows for name in row)
        return _Columns({name: [row.get(name) for row in rows] for name in names})
    raise ValueError(
        f"rows: expected columns by feature, a list of dicts, or a pandas, polars or PyArrow table, got "
        f"{type(rows).__name__}"
    )


class _Columns:
    def __init__(self, columns: Mapping[str, Sequence[Any]]) -> None:
        self._columns = columns
        lengths = {name: len(values) for name, values in columns.items()}
        self.rows = max(lengths.values(), default=0)
        for name, length in lengths.items():
            if length != self.rows:
                raise ValueError(f"rows: column {name!r} has {length:,} values, others have {self.rows:,}")

    def part(self, start: int, rows: int) -> "_Columns":
        return _Columns({name: values[start : start + rows] for name, values in self._columns.items()})

    def arrow(self) -> bytes | None:
        pyarrow = _pyarrow() if self.rows >= _MANY_ROWS else None
        if pyarrow is None:
            return None
        try:
            return _Frame(pyarrow.table(dict(self._columns))).arrow()
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError):  # a column of several kinds: the server names it
            return None

    def lists(self) -> Mapping[str, Sequence[Any]]:
        return self._columns


class _Frame:
    """A PyArrow table."""

    def __init__(self, table: Any) -> None:
        self._table, self.rows = table, int(table.num_rows)

    def part(self, start: int, rows: int) -> "_Frame":
        return _Frame(self._table.slice(start, rows))

    def arrow(self) -> bytes | None:
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._table.schema) as writer:
            writer.write_table(self._table)
        return bytes(sink.getvalue())

    def lists(self) -> Mapping[str, Sequence[Any]]:
        columns: dict[str, list[Any]] = self._table.to_pydict()
        return columns


def _frame(rows: Any) -> Table | None:
    """A frame's table; None where it is no frame. Without PyArrow its columns are lists."""
    library = type(rows).__module__.partition(".")[0]
    pyarrow = _pyarrow() if library in ("pandas", "polars") or hasattr(rows, "__arrow_c_stream__") else None
    if library == "pandas":
        if pyarrow is None:
            return _Columns(rows.to_dict(orient="list"))
        return _Frame(pyarrow.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata())
    if library == "polars" and pyarrow is None:
        return _Columns(rows.to_dict(as_series=False))
    return _Frame(pyarrow.table(rows).replace_schema_metadata()) if pyarrow is not None else None


def _listed(name: str, values: Any) -> Sequence[Any]:
    if getattr(getattr(values, "dtype", None), "kind", "") == "M":  # times, which NumPy would else count from 1970
        values = values.astype(str)
    found = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(found, Sequence) or isinstance(found, str | bytes):
        raise ValueError(  # noqa: TRY004 - an argument is wrong, as others of its kind
            f"rows: column {name!r} must be a list of values, got {type(values).__name__}"
        )
    return found


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        return None
    return pa
