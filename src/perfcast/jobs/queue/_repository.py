"""All SQL of jobs: each function does its part inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import msgspec
import sqlalchemy as sa

from perfcast.errors import Fenced
from perfcast.jobs.queue._job import UNFINISHED, Fence, Job, JobRequest, Once, Progress
from perfcast.storage import now, schema, take_turns
from perfcast.telemetry import trace_parent

_JOB = schema.job
_AS_KEPT = {field.name for field in fields(Job)} - {"request", "progress", "versions", "error"}


def add(
    connection: sa.Connection, identifier: str, request: JobRequest, request_id: str | None, once: Once | None
) -> None:
    """Keep a new job, queued, and what it comes from: a call, and whatever is traced around this."""
    connection.execute(
        sa.insert(_JOB).values(
            id=identifier,
            status="queued",
            model=request.model,
            workload=request.workload,
            dataset=request.dataset,
            request=msgspec.to_builtins(request),
            created_at=now(),
            attempt=0,
            handed_back=0,
            spent_seconds=0.0,
            n_trials=request.n_trials,
            outcome="",
            request_id=request_id,
            trace_parent=trace_parent(),
            once=once and once.name,
            once_asked=once and once.asked,
            **columns(Progress()),
        )
    )


def find(connection: sa.Connection, identifier: str, *, locked: bool = False) -> Job | None:
    """A job by its id; a locked one nobody else changes until the transaction's end."""
    query = sa.select(_JOB).where(_JOB.c.id == identifier)
    row = connection.execute(query.with_for_update() if locked else query).one_or_none()
    return None if row is None else _job(row)


def known(connection: sa.Connection, once: Once) -> tuple[str, bool] | None:
    """The id of the job that was submitted by this name, and whether the same was asked; None where none was."""
    query = sa.select(_JOB.c.id, _JOB.c.once_asked).where(_JOB.c.once == once.name)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.id, row.once_asked == once.asked)


def page(connection: sa.Connection, filters: Mapping[str, str], limit: int, offset: int) -> tuple[list[Job], int]:
    """Jobs newest first whose columns have these values, and how many there are in all."""
    where = [_JOB.c[name] == value for name, value in filters.items()]
    total = connection.execute(sa.select(sa.func.count()).select_from(_JOB).where(*where)).scalar_one()
    query = sa.select(_JOB).where(*where).order_by(_JOB.c.created_at.desc(), _JOB.c.id.desc())
    return [_job(row) for row in connection.execute(query.limit(limit).offset(offset))], int(total)


def running(connection: sa.Connection) -> list[Job]:
    """Every running job, oldest first."""
    query = sa.select(_JOB).where(_JOB.c.status == "running").order_by(_JOB.c.id)
    return [_job(row) for row in connection.execute(query)]


def any_claimable(connection: sa.Connection) -> bool:
    """Whether some job waits for nothing but a worker."""
    return connection.execute(sa.select(_JOB.c.id).where(*_claimable()).limit(1)).first() is not None


def claim(connection: sa.Connection, worker: str) -> Job | None:
    """Take the oldest job that may begin: one conditional update, so that of several workers one gets it.

    One whose row can't be read has failed instead, and nobody gets it. Claims take turns: two at once would each not
    see that the other's job makes its model busy.
    """
    take_turns(connection, "claim a job")
    oldest = (
        sa.select(_JOB.c.id)
        .where(*_claimable())
        .order_by(_JOB.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    at = now()
    statement = (
        sa.update(_JOB)
        .where(_JOB.c.id == oldest, _JOB.c.status == "queued")
        .values(
            status="running",
            worker=worker,
            attempt=_JOB.c.attempt + 1,
            started_at=sa.func.coalesce(_JOB.c.started_at, at),
            heartbeat_at=at,
            stage="preparing",
            error=None,
            retry_at=None,
        )
        .returning(_JOB)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    job = _job(row)
    if job.error:  # which was emptied just now: the row can't be read
        write(connection, job.fence, failed(job.error, job.versions))
        return None
    return job


def write(connection: sa.Connection, fence: Fence, values: Mapping[str, Any], *, cancelled_too: bool = True) -> None:
    """Write values to a running job, also when its cancellation has been asked for; raises `Fenced`."""
    theirs = (_JOB.c.id == fence.job) & (_JOB.c.attempt == fence.attempt) & (_JOB.c.worker == fence.worker)
    where = theirs & (_JOB.c.status == "running")
    if not cancelled_too:
        where &= _JOB.c.cancel_requested_at.is_(None)
    if connection.execute(sa.update(_JOB).where(where).values(**values)).rowcount != 1:
        raise fenced(fence)


def fenced(fence: Fence) -> Fenced:
    """What says that a claim no longer holds."""
    return Fenced(f"job {fence.job} no longer belongs to attempt {fence.attempt} of worker {fence.worker}")


def requeued(error: str | None, retry_at: str | None = None) -> dict[str, Any]:
    """What puts a running job back into the queue; one whose cancellation has been asked for ends instead."""
    asked = _JOB.c.cancel_requested_at.is_not(None)
    return {
        "status": sa.case((asked, "cancelled"), else_="queued"),
        "finished_at": sa.case((asked, now()), else_=None),
        "eta_seconds": None,
        "error": sa.case((asked, sa.null()), else_=error),
        "retry_at": retry_at,
    }


def failed(error: str, versions: Sequence[int] | None) -> dict[str, Any]:
    """What ends a job that can't go on; one whose versions are registered has succeeded all the same."""
    ended = {"finished_at": now(), "eta_seconds": None}
    if not versions:
        return ended | {"status": "failed", "error": error}
    outcome = f"registered, but the gate did not finish: {error}; if it shall answer, activate it"
    return ended | {"status": "succeeded", "progress": 1.0, "model_version": versions[-1], "outcome": outcome}


def cancel(connection: sa.Connection, identifier: str) -> bool:
    """End a job that waits, or ask a running one to end; one that has registered its versions no longer can."""
    at, waits = now(), _JOB.c.status == "queued"
    values = {
        "status": sa.case((waits, "cancelled"), else_=_JOB.c.status),
        "finished_at": sa.case((waits, at), else_=None),
        "eta_seconds": sa.case((waits, sa.null()), else_=_JOB.c.eta_seconds),
        "cancel_requested_at": sa.func.coalesce(_JOB.c.cancel_requested_at, at),
        "error": None,
    }
    where = (_JOB.c.id == identifier) & _JOB.c.status.in_(sorted(UNFINISHED)) & _JOB.c.versions.is_(None)
    return connection.execute(sa.update(_JOB).where(where).values(**values)).rowcount == 1


def _claimable() -> tuple[sa.ColumnElement[bool], ...]:
    """Queued and not waiting for its time, while no other job of the same model runs, and no earlier one waits."""
    other = _JOB.alias("other")
    theirs = sa.select(other.c.id).where(other.c.model == _JOB.c.model)
    busy = theirs.where(other.c.status == "running")
    earlier = theirs.where(other.c.status == "queued", other.c.id < _JOB.c.id)
    due = _JOB.c.retry_at.is_(None) | (_JOB.c.retry_at <= now())
    return _JOB.c.status == "queued", due, ~busy.exists(), ~earlier.exists()


def columns(progress: Progress) -> dict[str, Any]:
    """How a row keeps how far its job is."""
    kept = asdict(progress)
    kept["progress"] = kept.pop("share")
    return kept


class _Kept(msgspec.Struct):
    """What a row keeps as JSON."""

    request: JobRequest
    versions: tuple[int, ...] | None
    trials: list[dict[str, Any]]


def _job(row: sa.Row[Any]) -> Job:
    """A row; where its JSON can't be read, `error` says so, and the rest is what the other columns say."""
    error = row.error
    try:
        kept = msgspec.convert({"request": row.request, "versions": row.versions, "trials": row.trials}, _Kept)
    except msgspec.ValidationError as problem:
        error = error or f"its row can't be read by this version of Perfcast: {problem}"
        bare = JobRequest(model=row.model, workload=row.workload, dataset=row.dataset, digest="", n_trials=row.n_trials)
        whole = isinstance(row.versions, list) and all(isinstance(number, int) for number in row.versions)
        kept = _Kept(bare, tuple(row.versions) if whole else None, [])
    same = {name: getattr(row, name) for name in _AS_KEPT}
    progress = (row.stage, row.progress, row.trial, row.best_score, row.best_family, row.eta_seconds, kept.trials)
    return Job(**same, request=kept.request, progress=Progress(*progress), versions=kept.versions, error=error)
