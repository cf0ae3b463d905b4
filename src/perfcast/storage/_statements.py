"""Statements that SQLAlchemy spells differently for each database."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa


def insert_new(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there, also when another writer adds it at the same moment.

    Args:
        connection: In a transaction.
        table: Where to.
        values: By column name.

    Returns:
        Whether this call added it.
    """
    statement = (
        _insert(connection.dialect.name)(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key)
    )
    return connection.execute(statement).first() is not None


def _insert(dialect: str) -> Any:
    """The dialect's own `insert`; only the one in use is imported, which spares start-up the other."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert
    from sqlalchemy.dialects import sqlite

    return sqlite.insert
