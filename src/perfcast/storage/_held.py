"""The tables as a database has them, at whatever migration it stands: for what copies or replaces it whole."""

import sqlalchemy as sa

from perfcast.storage._schema import metadata, revision

_FORMER = frozenset({"prediction"})
"""Tables that migrations have made and taken away again."""


def held_tables(connection: sa.Connection) -> sa.MetaData:
    """Those of Perfcast's tables that are there, with the columns they have; others in the same place aren't ours."""
    held = sa.MetaData()
    ours = metadata.tables.keys() | _FORMER
    there = sorted(ours.intersection(sa.inspect(connection).get_table_names()))
    if there:  # none at all would mean every table
        held.reflect(connection, only=there)
    for table in held.tables.values():
        for column in table.columns:
            if isinstance(column.type, sa.JSON):  # reflection doesn't know what None is to be
                column.type.none_as_null = bool(column.nullable)
    return held


def hold_rows(connection: sa.Connection) -> bool:
    """Whether anything is kept there; tables that were only made hold nothing."""
    tables = held_tables(connection).sorted_tables
    return any(
        connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None
        for table in tables
        if table.name != revision.name
    )


def go_on_counting(connection: sa.Connection) -> None:
    """Have PostgreSQL give numbers after those that rows came with; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in held_tables(connection).sorted_tables:
        for column in table.primary_key:
            name = sa.func.pg_get_serial_sequence(table.name, column.name)
            if connection.scalar(sa.select(name)) is not None:
                last = sa.select(sa.func.coalesce(sa.func.max(column), 0)).scalar_subquery()
                connection.execute(sa.select(sa.func.setval(name, last + 1, sa.false())))
