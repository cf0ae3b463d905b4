"""`perfcast backup` and `perfcast restore`: all state in one file, and back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from perfcast.cli._output import say, show_facts
from perfcast.cli._progress import backup_progress

if TYPE_CHECKING:
    from perfcast.backups import Inventory
    from perfcast.settings import Settings
    from perfcast.storage import Blobs, Database

_FILE = typer.Argument(..., metavar="FILE", help="Such as perfcast-20260302.backup.")
_PASSPHRASE = typer.Option(
    None, "--passphrase-file", help="Its first line is the passphrase; BACKUP_PASSPHRASE if not given."
)


def backup(
    file: Path = _FILE,
    encrypt: bool = typer.Option(False, "--encrypt", help="Encrypt it under a passphrase."),
    passphrase_file: Path | None = _PASSPHRASE,
    verify: bool = typer.Option(False, "--verify", help="Write nothing: read FILE whole, and say what it holds."),
    incomplete: bool = typer.Option(
        False, "--incomplete", help="Go on without graphs and datasets that are missing or altered."
    ),
) -> None:
    """Copy the database, the graphs and the datasets into one file, while servers and workers run.

    FILE appears when it is whole; one that is there is replaced. It is a tar.gz; encrypted, age opens it.

    Examples:
        perfcast backup perfcast-20260302.backup
        BACKUP_PASSPHRASE=… perfcast backup nightly.backup --encrypt
        perfcast backup nightly.backup --encrypt --passphrase-file /run/secrets/backup
        perfcast backup nightly.backup --verify
    """
    from perfcast import backups
    from perfcast.settings import load_settings

    settings, began = load_settings(), time.monotonic()
    if verify:
        with backup_progress() as on_progress:
            held = backups.verify(file, passphrase=_known(settings, passphrase_file), on_progress=on_progress)
        _show(held, file, "is whole", began)
        return
    passphrase = backups.read_passphrase(_given(settings), passphrase_file) if encrypt else None
    with _state(settings) as (database, blobs), backup_progress() as on_progress:
        held = backups.back_up(
            database, blobs, file, passphrase=passphrase, incomplete=incomplete, on_progress=on_progress
        )
    _show(held, file, "written", began)


def restore(
    file: Path = _FILE,
    into: Path | None = typer.Option(
        None, "--into", metavar="FOLDER", help="A DATA_DIR; if not given, where the settings say."
    ),
    replace: bool = typer.Option(False, "--replace", help="Also where there is something already, which is lost."),
    passphrase_file: Path | None = _PASSPHRASE,
) -> None:
    """Put a backup in place: SQLite or PostgreSQL, a folder or a store of objects, whichever it came from.

    The file is read whole before anything is changed. An older Perfcast's is migrated. End servers and workers first.

    Examples:
        perfcast restore perfcast-20260302.backup
        perfcast restore perfcast-20260302.backup --into elsewhere
        DATABASE_URL=postgresql://… ARTIFACTS_URL=s3://… perfcast restore nightly.backup
        perfcast restore nightly.backup --replace
    """
    from perfcast import backups
    from perfcast.settings import load_settings

    elsewhere = {} if into is None else {"data_dir": into, "database_url": "", "artifacts_url": ""}
    settings, began = load_settings(**elsewhere), time.monotonic()
    with _state(settings) as (database, blobs), backup_progress() as on_progress:
        held = backups.restore(
            file,
            database,
            blobs,
            passphrase=_known(settings, passphrase_file),
            replace=replace,
            on_progress=on_progress,
        )
        _show(held, file, f"restored into {database.address} and {blobs.address}", began)
    say("look with perfcast doctor, then start servers and workers")


@contextmanager
def _state(settings: "Settings") -> "Iterator[tuple[Database, Blobs]]":
    from perfcast.logs import configure_logs
    from perfcast.storage import Blobs, Database

    configure_logs(settings, of_command=True)
    database = Database(settings.database_address, pool_size=settings.database_pool_size)
    try:
        yield database, Blobs(settings.artifacts_address)
    finally:
        database.close()


def _given(settings: "Settings") -> str:
    return settings.backup_passphrase.get_secret_value()


def _known(settings: "Settings", file: Path | None) -> str | None:
    """The passphrase, where there is one."""
    from perfcast.backups import read_passphrase

    given = _given(settings)
    return read_passphrase(given, file) if given or file is not None else None


def _show(held: "Inventory", file: Path, state: str, began: float) -> None:
    show_facts(
        {
            "file": f"{file} {state}",
            "as of": held.made_at,
            "perfcast": f"{held.perfcast}, migration {held.migration}",
            "rows": ", ".join(f"{count:,} {table}" for table, count in held.rows.items() if count),
            "graphs and datasets": held.artifacts,
            "megabytes": file.stat().st_size / 1e6,
            "seconds": time.monotonic() - began,
        }
    )
    if held.missing:
        say(f"without {len(held.missing)} graphs or datasets that were missing: {', '.join(held.missing)}")
