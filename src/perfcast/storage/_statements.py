"""Statements that SQLAlchemy spells differently for each database."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import sqlalchemy as sa

_T = TypeVar("_T")
_TOGETHER = 500
"""Parameters of one query; SQLite takes 32,766 at most, and plans for as many."""


def in_parts(values: Iterable[_T]) -> Iterator[list[_T]]:
    """Values that a query is asked for, so many at a time."""
    left = iter(values)
    while part := list(islice(left, _TOGETHER)):
        yield part


def insert_new(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there, also when another writer adds it at the same moment.

    Gives whether this call added it.
    """
    statement = (
        _insert(connection.dialect.name)(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key)
    )
    return connection.execute(statement).first() is not None


def insert_all_new(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], key: sa.Column[str]
) -> set[str]:
    """`insert_new` of many rows; gives the keys of those that this call added."""
    if not rows:
        return set()
    rows = sorted(rows, key=lambda row: row[key.name])  # so that no two writers wait for each other
    statement = _insert(connection.dialect.name)(table).on_conflict_do_nothing().returning(key)
    return set(connection.execute(statement, rows).scalars())


def insert_or_add(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or add their numbers to those of the rows with the same keys."""
    if not rows:
        return
    statement = _insert(connection.dialect.name)(table)
    sums = {column.name: column + statement.excluded[column.name] for column in table.c if not column.primary_key}
    connection.execute(statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=sums), rows)


def insert_or_replace(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or give these values to the row with the same key."""
    statement = _insert(connection.dialect.name)(table).values(**values)
    new = {name: statement.excluded[name] for name in values if not table.c[name].primary_key}
    connection.execute(statement.on_conflict_do_update(index_elements=[*table.primary_key], set_=new))


def take_turns(connection: sa.Connection, what: str) -> None:
    """Let only one transaction at a time pass that says the same word, until its end; the next one sees what it wrote.

    For decisions that rest on rows which nobody can lock, because they may not be there yet. On SQLite writers queue
    anyway. To be called before any row is locked, so that no two wait for each other. Words that share a checksum wait
    for each other too, which does no harm.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(zlib.crc32(what.encode()))))


def _insert(dialect: str) -> Any:
    """The dialect's own `insert`; only the one in use is imported, which spares start-up the other."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert
    from sqlalchemy.dialects import sqlite

    return sqlite.insert
