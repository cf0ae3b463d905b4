"""The queue in a few numbers: read every few seconds by who shows metrics."""

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from perfcast.jobs.queue._job import STATUSES, UNFINISHED
from perfcast.storage import schema

_JOB = schema.job.c


class JobFigures(NamedTuple):
    """How the queue is.

    Attributes:
        counts: By status.
        outcomes: How many jobs ended, by model and status; 0 as soon as the model has a job, so that a first one is a
            rise to whoever watches.
        progress: How far running jobs are, 0 to 1, by model; of several the least.
        last_seconds: How long the newest job that succeeded ran, by model.
        queued_since: When the oldest queued job was submitted; None where none is.
    """

    counts: Mapping[str, int]
    outcomes: Mapping[tuple[str, str], int]
    progress: Mapping[str, float]
    last_seconds: Mapping[str, float]
    queued_since: str | None


def job_figures(connection: sa.Connection) -> JobFigures:
    """How the queue is just now."""
    query = sa.select(_JOB.model, _JOB.status, sa.func.count(), sa.func.max(_JOB.id), sa.func.min(_JOB.progress))
    rows = connection.execute(query.group_by(_JOB.model, _JOB.status)).all()
    counts: dict[str, int] = dict.fromkeys(map(str, STATUSES), 0)
    for _, status, count, *_ in rows:
        counts[status] += count
    outcomes = {(model, str(status)): 0 for model, *_ in rows for status in STATUSES if status not in UNFINISHED}
    outcomes |= {(model, status): count for model, status, count, *_ in rows if status not in UNFINISHED}
    newest = [name for _, status, _, name, _ in rows if status == "succeeded"]
    last = connection.execute(sa.select(_JOB.model, _JOB.spent_seconds).where(_JOB.id.in_(newest)))
    oldest = sa.select(_JOB.created_at).where(_JOB.status == "queued").order_by(_JOB.id).limit(1)
    return JobFigures(
        counts,
        outcomes,
        {model: progress for model, status, _, _, progress in rows if status == "running"},
        {model: seconds for model, seconds in last},  # noqa: C416 - rows are no pairs to `dict`
        connection.scalar(oldest),
    )
