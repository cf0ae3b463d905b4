"""From a file into an empty place.

The file is read twice: once to see that all of it is there and as it was written, then to put it in place. Graphs and
datasets go first, the rows that name them after, in one transaction: until its end the place is as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from perfcast.backups._archive import Reader, reading
from perfcast.backups._inventory import Inventory, Member
from perfcast.backups._progress import OnProgress, in_silence
from perfcast.backups._rows import insert_part, read_part
from perfcast.errors import Conflict, InvalidData
from perfcast.storage import Blobs, Database, held_tables, hold_rows, schema

_NAMES = {"version": "graph", "dataset": "blob"}
"""The columns that name bytes."""


def verify(path: Path, *, passphrase: str | None = None, on_progress: OnProgress = in_silence) -> Inventory:
    """Read a backup whole, and give what it holds.

    Raises:
        InvalidData: It is none, it is damaged, or it lacks bytes that its rows name; the text says which.
        InvalidSetting: It is encrypted and there is no passphrase.
    """
    with _told(path, passphrase, "verified", on_progress) as (reader, members):
        named, held = set(), set()
        for member in members:
            held.add(member.digest)
            if column := _NAMES.get(member.table):
                named.update(read_part(member.data).column(column))
        inventory = reader.inventory
        if lacking := named - held - set(inventory.missing):
            raise InvalidData(f"{len(lacking)} of the graphs and datasets that its rows name aren't in it")
    return inventory


def restore(
    path: Path,
    database: Database,
    blobs: Blobs,
    *,
    passphrase: str | None = None,
    replace: bool = False,
    on_progress: OnProgress = in_silence,
) -> Inventory:
    """Put a backup in place, once it is verified; an older one is migrated.

    Args:
        path: The file.
        database: Gets the rows.
        blobs: Gets graphs and datasets; others that are there stay.
        passphrase: What it was encrypted under.
        replace: Also where the database holds something, which is lost then.
        on_progress: Told how far it is.

    Raises:
        Conflict: The database isn't empty, or the backup or the database belongs to a newer Perfcast.
        InvalidData: The file can't be used; nothing was changed.
        InvalidSetting: It is encrypted and there is no passphrase.
        Unavailable: The database or the store can't be used.
    """
    inventory = verify(path, passphrase=passphrase, on_progress=on_progress)
    _check(inventory, path)
    before = _found(database, replace=replace)
    with (
        _told(path, passphrase, "restored", on_progress) as (reader, members),
        database.remade(inventory.migration) as connection,
    ):
        tables = held_tables(connection).tables
        for member in members:
            if member.digest:
                _keep(blobs, member)
            else:
                insert_part(connection, tables, member.table, read_part(member.data))
        if reader.inventory != inventory:
            raise InvalidData("it was changed while it was read")
        _go_on(connection, before)
    return inventory


def _check(inventory: Inventory, path: Path) -> None:
    if inventory.migration > schema.HEAD:
        raise Conflict(
            f"{path} is of a newer Perfcast ({inventory.perfcast}, migration {inventory.migration}; this one knows "
            f"{schema.HEAD}); restore it with that one or a later one"
        )


def _found(database: Database, *, replace: bool) -> int:
    """The number of changes that the registry there has seen."""
    with database.read() as connection:
        if hold_rows(connection) and not replace:
            raise Conflict(
                f"the database {database.address} isn't empty; restore elsewhere with --into or another DATABASE_URL, "
                "or give up what it holds with --replace"
            )
        if schema.revision.name not in held_tables(connection).tables:
            return 0
        return int(connection.scalar(sa.select(schema.revision.c.value)) or 0)


def _keep(blobs: Blobs, member: Member) -> None:
    if (found := blobs.put(member.data)) != member.digest:
        raise InvalidData(f"its member {member.name} has the sha256 {found}")


def _go_on(connection: sa.Connection, before: int) -> None:
    """Raise the number that followers look at: whoever followed what was there before sees a change."""
    now = schema.revision.c.value
    greatest = sa.case((now > before, now), else_=before)
    connection.execute(sa.update(schema.revision).values(value=greatest + 1))


@contextmanager
def _told(
    path: Path, passphrase: str | None, what: str, on_progress: OnProgress
) -> Iterator[tuple[Reader, Iterator[Member]]]:
    """A backup's members, while it is told how many bytes of the file have been read."""
    size = path.stat().st_size
    with reading(path, passphrase) as reader:

        def members() -> Iterator[Member]:
            for member in reader:
                yield member
                on_progress(what, min(reader.position, size), size)

        yield reader, members()
