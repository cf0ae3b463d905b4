"""Where a job's Optuna study is kept, so that the next attempt continues it.

By default it is a journal file in `DATA_DIR`/studies: fast, and nothing to set up, for workers that share this folder.
Where state is in PostgreSQL, workers may be on several machines, so the study is kept there too: in a schema of its
own, because Optuna's tables bring an `alembic_version` that would clash with ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from perfcast.errors import Unavailable
from perfcast.settings import Settings
from perfcast.storage import Database, patiently, take_turns

SCHEMA = "optuna"
EARLIER_SECONDS = 10.0
"""How long a job's training process waits for an earlier one to end."""
_SETTING_UP = "set up optuna"


def studies_folder(settings: Settings) -> Path:
    """Where journals lie."""
    return settings.data_dir.absolute() / "studies"


def study_address(job: str, settings: Settings) -> str:
    """Where a job's study is kept: the path of a journal, or an SQLAlchemy address. The study is named by the job."""
    url = make_url(settings.database_address)
    if url.get_backend_name() == "sqlite":
        return str(studies_folder(settings) / f"{job}.journal")
    url = url.set(drivername="postgresql+psycopg").update_query_dict({"options": f"-csearch_path={SCHEMA}"})
    return url.render_as_string(hide_password=False)


@contextmanager
def prepared_study(job: str, settings: Settings, database: Database) -> Iterator[str]:
    """A job's study, ready to be opened by the one process that trains; gives its address.

    Raises:
        Unavailable: Its database can't be reached, or an earlier process that should have ended still trains the job.
    """
    address = study_address(job, settings)
    if "://" in address:
        _set_up(address, database)
        yield address
        return
    with _held(Path(address)):
        _mend(Path(address))
        yield address


def _set_up(address: str, database: Database) -> None:
    """Make Optuna's schema and tables, unless they are there; of several processes one does it, the others wait."""
    from perfcast.training import make_study_tables

    with database.begin() as connection:
        take_turns(connection, _SETTING_UP)
        if not sa.inspect(connection).has_schema(SCHEMA):  # `IF NOT EXISTS` needs the right to make it even so
            connection.execute(sa.schema.CreateSchema(SCHEMA))
    with database.begin() as connection:
        take_turns(connection, _SETTING_UP)
        make_study_tables(address)


@contextmanager
def _held(journal: Path) -> Iterator[None]:
    """Have a journal to oneself: an earlier process of the same job may need seconds to notice that it is shut out."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    import fcntl

    with journal.open("ab") as file:  # the system lets go of it when this process dies

        def lock() -> None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Unavailable("an earlier training process of this job has not ended yet") from None

        patiently(lock, EARLIER_SECONDS)
        yield


def _mend(journal: Path) -> None:
    """Remove what a killed process may have left: its lock, and a line that it had not finished."""
    Path(f"{journal}.lock").unlink(missing_ok=True)
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with journal.open("rb+") as file:
            file.truncate(whole)
