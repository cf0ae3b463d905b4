"""When models are trained anew."""

from datetime import datetime

from msgspec import Struct


class RetrainRequest(Struct, frozen=True):
    """How a schedule trains; `dataset` is the line to learn from, None for the model's own."""

    n_trials: int
    families: list[str]
    promote: str
    seed: int
    timeout_seconds: float | None = None
    dataset: str | None = None
    newest_rows: int | None = None
    base: str | None = None
    trends: str = "prefer"


class ScheduleEntry(Struct, frozen=True):
    """When a model is trained anew, and what came of it last.

    Attributes:
        cron: Five fields, in `time_zone`.
        new_rows: With so many more rows than the last run learnt from.
        drift: Whether signals of drift begin a run.
        least_new_rows: So many more rows a signal alone needs.
        signal: One that hasn't been acted on: `drift` or `accuracy`.
        held_back: Why it waits although it is due.
        last_digest: Of the rows that the last run was given.
        last_until: When the newest of those rows was measured.
        next_at: When its cron expression comes about next.
    """

    model_name: str
    drift: bool
    enabled: bool
    minimum_interval_seconds: float
    most_per_day: int
    least_new_rows: int
    request: RetrainRequest
    updated_at: datetime
    time_zone: str
    cron: str | None = None
    new_rows: int | None = None
    signal: str | None = None
    signal_reason: str | None = None
    held_back: str | None = None
    last_fired_at: datetime | None = None
    last_reason: str | None = None
    last_job: str | None = None
    last_digest: str | None = None
    last_rows: int | None = None
    last_until: datetime | None = None
    next_at: datetime | None = None


class ScheduleList(Struct, frozen=True):
    """All schedules, sorted by model."""

    schedules: list[ScheduleEntry]
    total: int
    timestamp: datetime


class ScheduleEventEntry(Struct, frozen=True):
    """One thing that a schedule did, and what became of the job.

    Attributes:
        kind: `fired`, `held_back` or `signal`.
        trigger: `cron`, `new_rows`, `drift`, `accuracy`, or `request` where no job could be made.
    """

    model_name: str
    at: datetime
    kind: str
    trigger: str
    reason: str
    job_id: str | None = None
    job_status: str | None = None
    model_version: int | None = None
    outcome: str | None = None
    error: str | None = None


class ScheduleHistory(Struct, frozen=True):
    """What a schedule did, newest first."""

    events: list[ScheduleEventEntry]
    timestamp: datetime
