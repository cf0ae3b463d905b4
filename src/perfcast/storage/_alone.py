"""Doing what only one process at a time should do, without keeping others from the database meanwhile."""

import fcntl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from perfcast.storage._database import Database


@contextmanager
def alone(database: Database, what: str) -> Iterator[bool]:
    """Whether nobody else who uses the database is inside with the same word; nobody else gets in until the end.

    Holds a lock of PostgreSQL's, or of a file beside SQLite's, which whoever dies lets go. It isn't the lock of
    `take_turns` with the same word, which transactions inside may need.
    """
    if database.file is not None:
        with Path(f"{database.file}.{what}.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        return
    with database.read() as connection:
        yield bool(
            connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(zlib.crc32(f"alone {what}".encode()))))
        )
