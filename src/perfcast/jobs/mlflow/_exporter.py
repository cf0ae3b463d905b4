"""Writes each finished job to MLflow, once, however it ended and whoever ran it."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog

from perfcast.errors import BrokenVersion, NotFound
from perfcast.jobs.mlflow._mlflow import export
from perfcast.jobs.queue import Job
from perfcast.jobs.queue import _repository as repository
from perfcast.registry import Registry, Version
from perfcast.storage import Database, insert_new, now, schema, time_text

AGAIN_SECONDS = 300.0
"""How long a job waits after an attempt to write it, which failed or whose worker is gone."""
LAST_FOR = timedelta(days=1)
"""Jobs that ended longer ago are written no more."""

_JOB, _EXPORT = schema.job, schema.job_export

log = structlog.stdlib.get_logger("perfcast.jobs")


class Exporter:
    """Looks for finished jobs that the server at an address doesn't have yet; of several workers one writes each."""

    def __init__(self, address: str, database: Database, registry: Registry) -> None:
        self._address, self._database, self._registry = address, database, registry

    def look(self) -> list[str]:
        """Write what has finished since the last look, until one can't be written; gives the ids of those that were."""
        written: list[str] = []
        while (job := self._claim()) is not None:
            run = export(job, *self._best(job), address=self._address)
            if run is None:
                break
            with self._database.begin() as connection:
                connection.execute(sa.update(_EXPORT).where(_EXPORT.c.job == job.id).values(run=run))
            written.append(job.id)
        return written

    def _claim(self) -> Job | None:
        """A job that no other worker writes at the same time."""
        with self._database.read() as connection:
            due = _due(connection)
        for job, tried_at in due:
            with self._database.begin() as connection:
                if _take(connection, job, tried_at):
                    return repository.find(connection, job)
        return None

    def _best(self, job: Job) -> tuple[Version | None, bytes | None]:
        """Its best version and that one's graph, as far as there are such."""
        if job.model_version is None:
            return None, None
        try:
            best = self._registry.version(job.request.model, job.model_version)
        except (NotFound, BrokenVersion):  # deleted since
            return None, None
        try:
            return best, self._registry.graph(best)
        except BrokenVersion as error:
            log.warning("exported without its graph", version=best.reference, reason=str(error))
            return best, None


def _due(connection: sa.Connection) -> list[tuple[str, str | None]]:
    """Ids of jobs that are to be written, and when that was tried last."""
    present = datetime.now(UTC)
    query = (
        sa.select(_JOB.c.id, _EXPORT.c.tried_at)
        .select_from(_JOB.outerjoin(_EXPORT, _EXPORT.c.job == _JOB.c.id))
        .where(
            _JOB.c.finished_at > time_text(present - LAST_FOR),
            _EXPORT.c.run.is_(None),
            sa.or_(
                _EXPORT.c.tried_at.is_(None), _EXPORT.c.tried_at < time_text(present - timedelta(seconds=AGAIN_SECONDS))
            ),
        )
        .order_by(_JOB.c.finished_at)
        .limit(20)
    )
    return [(row.id, row.tried_at) for row in connection.execute(query)]


def _take(connection: sa.Connection, job: str, tried_at: str | None) -> bool:
    """Note an attempt, unless another worker was faster."""
    at = now()
    if tried_at is None:
        return insert_new(connection, _EXPORT, {"job": job, "tried_at": at, "run": None})
    as_seen = (_EXPORT.c.job == job) & (_EXPORT.c.tried_at == tried_at) & _EXPORT.c.run.is_(None)
    return connection.execute(sa.update(_EXPORT).where(as_seen).values(tried_at=at)).rowcount == 1
