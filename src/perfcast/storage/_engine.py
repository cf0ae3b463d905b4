"""How SQLAlchemy is set up for each of the two databases."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL

from perfcast.errors import InvalidSetting, Unavailable

BUSY_SECONDS = 10
"""How long a writer waits for another one, and a caller for a free connection."""
CONNECT_SECONDS = 5
"""How long PostgreSQL may take to accept a connection."""
_EXAMPLES = "use sqlite:////folder/perfcast.db or postgresql://user:password@host/database"


def parse_url(url: str) -> URL:
    """Read an address; `postgresql://` and `postgres://` mean psycopg 3.

    Raises:
        InvalidSetting: It is no address of an SQLite file or of PostgreSQL; the text never shows it, for its password.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidSetting(f"DATABASE_URL can't be read as an address; {_EXAMPLES}") from None
    if parsed.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        raise InvalidSetting(f"DATABASE_URL names '{parsed.drivername}', which is not supported; {_EXAMPLES}")
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise InvalidSetting(f"DATABASE_URL must name an SQLite file, since processes share it; {_EXAMPLES}")
    return parsed


def libpq_address(url: str) -> str:
    """An address of PostgreSQL as psycopg itself reads it, password included; empty for an SQLite file."""
    parsed = parse_url(url)
    if parsed.get_backend_name() != "postgresql":
        return ""
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


def shown_address(url: str) -> str:
    """An address without what may be secret: password and query."""
    return parse_url(url).set(query={}).render_as_string(hide_password=True)


def make_engine(url: URL, pool_size: int) -> sa.Engine:
    """An engine that connects when first used; the folder of an SQLite file is made at once."""
    pool: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": BUSY_SECONDS}
    if url.get_backend_name() == "sqlite":
        _make_folder(url)
        return _with_sqlite_events(
            sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, poolclass=sa.QueuePool, **pool)
        )
    connect = {"connect_timeout": CONNECT_SECONDS, "application_name": "perfcast"}
    given = {name: value for name, value in connect.items() if name not in url.query}
    return sa.create_engine(url, connect_args=given, pool_pre_ping=True, **pool)


def _make_folder(url: URL) -> None:
    folder = Path(url.database or "").absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"the folder {folder} of the database can't be made: {error.strerror}; check DATABASE_URL and DATA_DIR"
        ) from None


def _with_sqlite_events(engine: sa.Engine) -> sa.Engine:
    """Take transactions out of the sqlite3 driver's hands.

    By itself the driver begins one only at the first INSERT, UPDATE or DELETE: what was read before stands outside
    of it, and schema changes commit halfway. So it is told to begin none, and each one is begun in words: IMMEDIATE,
    which queues writers here, or plain for `Database.read`, which never waits for them.
    """

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        _use_wal(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN IMMEDIATE"))

    return engine


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log; SQLite doesn't wait by itself when several processes do it to a new file."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
