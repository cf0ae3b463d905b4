"""From a running installation into a file.

Graphs and datasets never change once written, and are written before a row names them. So most of them are copied
first; then the database is read as of one moment, and what that moment names and wasn't there before. Nobody is kept
waiting. What is deleted in between is what needs care: where bytes that the moment names have gone, it is taken anew.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa

from perfcast import __version__
from perfcast.backups._archive import Writer, writing
from perfcast.backups._inventory import FORMAT, Inventory, artifact_name, rows_name
from perfcast.backups._progress import OnProgress, in_silence
from perfcast.backups._rows import parts
from perfcast.errors import BrokenVersion, Conflict, InvalidSetting
from perfcast.storage import Blobs, Database, held_tables, now, schema

_TRIES = 5
_AT_ONCE = 8
"""Bytes fetched at once: stores of objects are far away."""


def back_up(
    database: Database,
    blobs: Blobs,
    path: Path,
    *,
    passphrase: str | None = None,
    incomplete: bool = False,
    on_progress: OnProgress = in_silence,
) -> Inventory:
    """Write everything into a file, which is there whole or not at all; one that was there is replaced.

    Args:
        database: Its rows.
        blobs: Its graphs and datasets.
        path: The file.
        passphrase: Encrypt it under this.
        incomplete: Leave out, and list, bytes that the database names but that are missing or altered.
        on_progress: Told how far it is.

    Raises:
        BrokenVersion: Bytes are missing or altered; the text says whose.
        Conflict: The database belongs to a newer Perfcast.
        InvalidSetting: The database was never set up.
        Unavailable: The database, the store or the file can't be used.
    """
    _check(database)
    with writing(path, passphrase) as writer:
        copying = _Copying(database, blobs, writer, on_progress)
        inventory = copying.run(incomplete=incomplete)
        writer.end(inventory)
    return inventory


def _check(database: Database) -> None:
    migration = database.migration()
    if migration is None:
        raise InvalidSetting(f"the database {database.address} has no tables: there is nothing to back up")
    if migration > schema.HEAD:
        raise Conflict(
            f"the database {database.address} belongs to a newer Perfcast (migration {migration}, this one knows "
            f"{schema.HEAD}), whose backup this one would not be able to write; use that one"
        )


class _Copying:
    def __init__(self, database: Database, blobs: Blobs, writer: Writer, on_progress: OnProgress) -> None:
        self._database, self._blobs, self._writer, self._on_progress = database, blobs, writer, on_progress
        self._copied: set[str] = set()

    def run(self, *, incomplete: bool) -> Inventory:
        with self._database.read() as connection:
            named = _named(connection)
        self._copy(named)
        for attempt in range(1, _TRIES + 1):
            with self._database.read() as connection:
                made_at, named = now(), _named(connection)
                gone = self._copy(named - self._copied)
                if not gone or (incomplete and attempt > 1):
                    return self._rows(connection, made_at, gone)
                whose = _whose(connection, gone)
        raise BrokenVersion(
            f"the bytes of {whose} are missing from {self._blobs.address} or altered; restore them from an earlier "
            "backup or delete it, or go on without them with --incomplete"
        )

    def _copy(self, digests: set[str]) -> set[str]:
        """Copy bytes; gives those that aren't there."""
        gone = set()
        for digest, data in self._fetched(sorted(digests)):
            if data is None:
                gone.add(digest)
                continue
            self._writer.add(artifact_name(digest), data)
            self._copied.add(digest)
            self._on_progress("artifacts", len(self._copied), len(self._copied | digests))
        return gone

    def _fetched(self, digests: list[str]) -> Iterator[tuple[str, bytes | None]]:
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="perfcast-backup") as pool:
            for start in range(0, len(digests), _AT_ONCE):
                together = digests[start : start + _AT_ONCE]
                yield from zip(together, pool.map(self._get, together), strict=True)

    def _get(self, digest: str) -> bytes | None:
        try:
            return self._blobs.get(digest)
        except BrokenVersion:
            return None

    def _rows(self, connection: sa.Connection, made_at: str, missing: Iterable[str]) -> Inventory:
        migration = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        tables = {str(table.name): table for table in held_tables(connection).sorted_tables}
        of = sum(
            int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0) for table in tables.values()
        )
        rows = dict.fromkeys(tables, 0)
        for name, table in tables.items():
            for number, (data, count) in enumerate(parts(connection, table), 1):
                self._writer.add(rows_name(name, number), data)
                rows[name] += count
                self._on_progress("rows", sum(rows.values()), of)
        return Inventory(
            FORMAT, __version__, str(migration), made_at, rows, self._writer.members, tuple(sorted(missing))
        )


def _named(connection: sa.Connection) -> set[str]:
    """The digests that the database names."""
    columns = (schema.version.c.graph, schema.dataset.c.blob)
    return {digest for column in columns for digest in connection.execute(sa.select(column).distinct()).scalars()}


def _whose(connection: sa.Connection, digests: set[str]) -> str:
    """Versions and datasets that need some bytes."""
    versions, rows = schema.version.c, schema.dataset.c
    named = connection.execute(sa.select(versions.model, versions.number).where(versions.graph.in_(digests))).all()
    kept = connection.execute(sa.select(rows.name, rows.digest).where(rows.blob.in_(digests))).all()
    found = [f"{row.model}:{row.number}" for row in named] + [f"dataset {row.name}@{row.digest[:12]}" for row in kept]
    return ", ".join(found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
