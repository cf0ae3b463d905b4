"""Tables as members: parts of them, each with the names of its columns, in values that both databases have."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from perfcast.errors import InvalidData

_ROWS = 500
"""Of a part: of the widest table some 20 MB."""


class Part(msgspec.Struct, frozen=True):
    """Some rows of a table."""

    columns: list[str]
    rows: list[list[Any]]

    def column(self, name: str) -> list[Any]:
        """The values of a column.

        Raises:
            InvalidData: There is none of that name.
        """
        if name not in self.columns:
            raise InvalidData(f"it lacks a column {name!r}")
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


def parts(connection: sa.Connection, table: sa.Table) -> Iterator[tuple[bytes, int]]:
    """All rows of a table in the order of their keys: each part's bytes, and how many rows it has."""
    columns = [str(column.name) for column in table.columns]
    query = sa.select(table).order_by(*table.primary_key)
    for rows in connection.execute(query, execution_options={"yield_per": _ROWS}).partitions():
        yield msgspec.msgpack.encode(Part(columns, [list(row) for row in rows])), len(rows)


def read_part(data: bytes) -> Part:
    """A part from its bytes.

    Raises:
        InvalidData: They are none.
    """
    try:
        part = msgspec.msgpack.decode(data, type=Part)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidData(f"a part of a table can't be read: {error}") from None
    if any(len(row) != len(part.columns) for row in part.rows):
        raise InvalidData("a part of a table has rows of another length than its columns")
    return part


def insert_part(connection: sa.Connection, tables: Mapping[str, sa.Table], name: str, part: Part) -> None:
    """Put rows into their table.

    Raises:
        InvalidData: The table isn't there, has other columns, or doesn't take them.
    """
    table = tables.get(name)
    if table is None or (strange := set(part.columns) - set(table.columns.keys())):
        what = f"a table {name!r}" if table is None else f"columns {sorted(strange)} of {name!r}"
        raise InvalidData(f"it has {what}, which its migration doesn't know")
    if not part.rows:
        return
    try:
        connection.execute(sa.insert(table), [dict(zip(part.columns, row, strict=True)) for row in part.rows])
    except (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.StatementError) as error:
        if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
            raise
        reason = " ".join(str(error.orig or error).split())
        raise InvalidData(f"this database doesn't take its rows of {name!r}: {reason}") from error
