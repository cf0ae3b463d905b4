"""Deletes the studies of jobs that finished long ago; the jobs themselves, their versions and their outcomes stay."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
import structlog

from perfcast.jobs.run import SCHEMA, studies_folder
from perfcast.settings import Settings
from perfcast.storage import Database, schema, time_text

EVERY_SECONDS = 60.0
MOST_AT_ONCE = 100
"""So many rows at a time, so that a worker isn't kept from its other work; the rest follows at the next look."""

log = structlog.stdlib.get_logger("perfcast.jobs")


class Retention:
    """Looks for studies that are older than `JOB_STUDY_DAYS`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._kept_for = timedelta(days=settings.job_study_days)
        self._folder = studies_folder(settings)
        self._database = database

    def look(self) -> list[str]:
        """Delete them; gives the ids of their jobs."""
        until = datetime.now(UTC) - self._kept_for
        deleted = self._journals(until) + self._rows(until)
        if deleted:
            log.info("deleted the studies of old jobs", studies=len(deleted))
        return deleted

    def _journals(self, until: datetime) -> list[str]:
        kept = [path.stem for path in self._folder.glob("*.journal") if _is_job(path.stem)]
        job = schema.job.c
        with self._database.read() as connection:
            parts = (kept[at : at + MOST_AT_ONCE] for at in range(0, len(kept), MOST_AT_ONCE))
            queries = (sa.select(job.id).where(job.id.in_(ids), job.finished_at < time_text(until)) for ids in parts)
            finished = [found for query in queries for found in connection.execute(query).scalars()]
        return [name for name in finished if _delete(self._folder / f"{name}.journal")]

    def _rows(self, until: datetime) -> list[str]:
        """The rows of Optuna's tables in PostgreSQL: they are read from the database, so that no version matters."""
        with self._database.read() as connection:  # on SQLite there are none, and nobody need wait
            if connection.dialect.name != "postgresql" or not sa.inspect(connection).has_table("studies", SCHEMA):
                return []
        with self._database.begin() as connection:
            old = _old_studies(connection, time_text(until))
            if not old:
                return []
            tables = sa.MetaData()
            tables.reflect(connection, schema=SCHEMA)
            trials = tables.tables[f"{SCHEMA}.trials"].c
            theirs = sa.select(trials.trial_id).where(trials.study_id.in_(old))
            for table in reversed(tables.sorted_tables):
                if "study_id" in table.c:
                    connection.execute(sa.delete(table).where(table.c.study_id.in_(old)))
                elif "trial_id" in table.c:
                    connection.execute(sa.delete(table).where(table.c.trial_id.in_(theirs)))
        return list(old.values())


def _old_studies(connection: sa.Connection, until: str) -> dict[int, str]:
    """Number and job of some old studies that no other worker deletes just now."""
    job, studies = schema.job.c, sa.table("studies", sa.column("study_id"), sa.column("study_name"), schema=SCHEMA)
    query = sa.select(studies.c.study_id, job.id).join_from(studies, schema.job, studies.c.study_name == job.id)
    query = query.where(job.finished_at < until).limit(MOST_AT_ONCE).with_for_update(of=studies, skip_locked=True)
    return {row.study_id: row.id for row in connection.execute(query)}


def _is_job(name: str) -> bool:
    """Whether a journal is a job's, and not one that `perfcast train --resume` keeps."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _delete(journal: Path) -> bool:
    """Delete a journal and its lock; False where that can't be done, so that others don't stay because of it."""
    try:
        for path in (journal, journal.with_name(f"{journal.name}.lock")):
            path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("an old study can't be deleted", path=str(journal), reason=str(error))
        return False
    return True
