"""Where a job's Optuna study is kept, so that the next attempt continues it.

By default it is a journal file in `DATA_DIR`/studies: fast, and nothing to set up, for workers that share this folder.
Where state is in PostgreSQL, workers may be on several machines, so the study is kept there too: in a schema of its
own, because Optuna's tables bring an `alembic_version` that would clash with ours.
"""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from perfcast.settings import Settings
from perfcast.storage import Database

SCHEMA = "optuna"


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


def prepare_study(job: str, settings: Settings, database: Database) -> str:
    """Make a job's study ready to be opened by the one process that trains.

    Returns:
        Its address.
    """
    address = study_address(job, settings)
    if "://" not in address:
        _mend(Path(address))
        return address
    with database.begin() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    return address


def _mend(journal: Path) -> None:
    """Remove what a killed process may have left: its lock, and a line that it had not finished.

    Only one process at a time trains a job, and it is this one now.
    """
    journal.parent.mkdir(parents=True, exist_ok=True)
    Path(f"{journal}.lock").unlink(missing_ok=True)
    if not journal.exists():
        return
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with journal.open("rb+") as file:
            file.truncate(whole)
