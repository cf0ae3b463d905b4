"""Statements that SQLAlchemy spells differently for each database."""

import zlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa


def insert_new(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there, also when another writer adds it at the same moment.

    Gives whether this call added it.
    """
    statement = (
        _insert(connection.dialect.name)(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key)
    )
    return connection.execute(statement).first() is not None


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
