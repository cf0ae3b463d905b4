"""What came of each file, in the database, so that every process can tell."""

from dataclasses import asdict, dataclass, fields
from typing import Literal

import sqlalchemy as sa

from perfcast.storage import Database, insert_or_replace, now, schema

State = Literal["registered", "converted", "failed"]
_TABLE = schema.discovery


@dataclass(frozen=True)
class Record:
    """The last outcome for a file.

    Attributes:
        path: Relative to the folder of models.
        model: What it is called.
        sha256: Of what was read.
        state: `registered` until its version answers, then `converted`; or `failed`.
        reason: Why it failed.
        version: Its version's number.
        at: When: ISO 8601, UTC.
    """

    path: str
    model: str
    sha256: str
    state: State
    reason: str = ""
    version: int | None = None
    at: str = ""


_NAMES = [field.name for field in fields(Record)]


class Records:
    """The table of outcomes.

    Args:
        database: Where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, Record]:
        """By path."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(_TABLE).order_by(_TABLE.c.path)).all()
        return {row.path: Record(**{name: getattr(row, name) for name in _NAMES}) for row in rows}

    def failed(self) -> list[Record]:
        """The files that aren't loaded, by path."""
        return [record for record in self.all().values() if record.state == "failed"]

    def keep(self, record: Record) -> None:
        """Write what came of a file."""
        with self._database.begin() as connection:
            write(connection, record)

    def forget_failed(self, paths: list[str]) -> None:
        """Drop the failures of files that are gone."""
        which = _TABLE.c.path.in_(paths) & (_TABLE.c.state == "failed")
        with self._database.begin() as connection:
            connection.execute(sa.delete(_TABLE).where(which))


def write(connection: sa.Connection, record: Record) -> None:
    """Write it inside the caller's transaction."""
    insert_or_replace(connection, _TABLE, asdict(record) | {"at": now()})


def is_done(connection: sa.Connection, path: str, sha256: str) -> bool:
    """Whether another worker was faster with this content."""
    query = sa.select(_TABLE.c.state).where(_TABLE.c.path == path, _TABLE.c.sha256 == sha256)
    return connection.execute(query).scalar_one_or_none() in ("registered", "converted")
