"""What answers about jobs and schedules look like, for the OpenAPI document; tests hold real answers against these."""

from typing import Annotated

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import Time

Job = Annotated[str, Field(examples=["019aa9c1-7d2e-7c40-9b55-0f3a5d2c8e11"])]
Model = Annotated[str, Field(examples=["cpu-utilization"])]
Reason = Annotated[str, Field(examples=["cron '0 3 * * *' at 2026-03-02 03:00 UTC"])]


class TrainingJob(BaseModel):
    """A training run."""

    job_id: Job
    status: str = Field(description="`queued`, `running`, `succeeded`, `failed` or `cancelled`", examples=["running"])
    progress: float = Field(description="0 to 1", examples=[0.35])
    stage: str | None = Field(
        None, description="While it runs: `preparing`, `searching`, `fitting` or `registering`", examples=["searching"]
    )
    trial: int = Field(description="Trials finished", examples=[7])
    n_trials: int = Field(examples=[20])
    best_score: float | None = Field(
        None, description="Least error on the search's validation rows, by `metric`", examples=[1.93]
    )
    best_family: str | None = Field(None, examples=["xgboost"])
    eta_seconds: float | None = Field(None, examples=[41.5])
    created_at: Time
    started_at: Time | None = None
    finished_at: Time | None = Field(None, examples=[None])
    attempt: int = Field(
        description="How often it has been begun; not counting where a stopped worker gave it back", examples=[1]
    )
    error: str | None = None
    retry_at: Time | None = Field(
        None, description="When it is begun again, where it waits after something broke", examples=[None]
    )
    model_name: Model
    model_version: int | None = Field(None, description="The best version, once it has succeeded")
    outcome: str | None = Field(None, description="What the promotion gate said")
    workload: Model
    dataset: str = Field(examples=["simulated"])
    families: list[str] = Field(description="Which are tried; all when empty", examples=[[]])
    metric: str | None = Field(None, examples=["mae"])
    timeout_seconds: float | None = None
    promote: str = Field(examples=["auto"])
    seed: int = Field(examples=[0])
    newest_rows: int | None = Field(None, description="Learns from so many of the newest rows only")
    base: str | None = Field(None, description="The version it starts from", examples=[None])
    trends: str = Field("prefer", description="What declared trends count for", examples=["prefer"])
    cancel_requested: bool = Field(examples=[False])
    worker: str | None = Field(None, description="Who has it, or had it last", examples=["trainer-1_4711_9f2c41d0"])
    spent_seconds: float = Field(description="How long it has run, over all attempts", examples=[22.4])
    request_id: str | None = Field(
        None,
        description="`X-Request-ID` of the call that submitted it; log lines about it have it too",
        examples=[None],
    )


class Trial(BaseModel):
    """One try of a family's settings."""

    trial: int = Field(examples=[7])
    family: str = Field(examples=["xgboost"])
    state: str = Field(description="`running`, `complete`, `pruned` or `failed`", examples=["complete"])
    score: float | None = Field(None, description="Null where there is none (yet)", examples=[1.93])
    seconds: float | None = Field(None, description="Null while it runs", examples=[2.8])


class JobDetails(TrainingJob):
    """A training run with its last trials."""

    trials: list[Trial]


class JobList(BaseModel):
    """A page of jobs, newest first."""

    jobs: list[TrainingJob]
    total: int = Field(examples=[1])
    limit: int = Field(examples=[50])
    offset: int = Field(examples=[0])
    timestamp: Time


class RetrainRequest(BaseModel):
    """How a schedule trains."""

    n_trials: int = Field(examples=[50])
    families: list[str] = Field(examples=[[]])
    timeout_seconds: float | None = Field(None, examples=[600.0])
    dataset: str | None = Field(None, description="The line to learn from; null for the model's own")
    promote: str = Field(examples=["auto"])
    seed: int = Field(examples=[0])
    newest_rows: int | None = Field(None, description="Learns from so many of the newest rows only", examples=[4320])
    base: str | None = Field(None, description="Model reference of a version to start from", examples=[None])
    trends: str = Field("prefer", description="What declared trends count for", examples=["prefer"])


class ScheduleEntry(BaseModel):
    """When a model is trained anew, and what came of it last."""

    model_name: Model
    cron: str | None = Field(None, examples=["0 3 * * *"])
    new_rows: int | None = Field(None, examples=[5000])
    drift: bool = Field(examples=[True])
    enabled: bool = Field(examples=[True])
    minimum_interval_seconds: float = Field(examples=[3600.0])
    most_per_day: int = Field(examples=[4])
    least_new_rows: int = Field(examples=[0])
    request: RetrainRequest
    updated_at: Time
    signal: str | None = Field(None, description="A signal that hasn't been acted on: `drift` or `accuracy`")
    signal_reason: str | None = None
    held_back: str | None = Field(None, description="Why it waits although it is due")
    last_fired_at: Time | None = Field(None, examples=["2026-03-02T03:00:01.204000Z"])
    last_reason: Reason | None = None
    last_job: Job | None = None
    last_digest: str | None = Field(
        None,
        description="Of the rows that the last run was given",
        examples=["9f2c41d07be6a5530f7f4a6f5d0b1c6e2a94f3b8d7c6e5a4b3c2d1e0f9a8b7c6"],
    )
    last_rows: int | None = Field(None, examples=[60000])
    last_until: Time | None = Field(None, description="When the newest of those rows was measured")
    next_at: Time | None = Field(
        None, description="When its cron expression comes about next", examples=["2026-03-03T03:00:00.000000Z"]
    )
    time_zone: str = Field(examples=["UTC"])


class ScheduleList(BaseModel):
    """All schedules, sorted by model."""

    schedules: list[ScheduleEntry]
    total: int = Field(examples=[1])
    timestamp: Time


class ScheduleEventEntry(BaseModel):
    """One thing that a schedule did, and what became of the job."""

    model_name: Model
    job_id: Job | None = None
    at: Time = Field(examples=["2026-03-02T03:00:01.204000Z"])
    kind: str = Field(description="`fired`, `held_back` or `signal`", examples=["fired"])
    trigger: str = Field(
        description="`cron`, `new_rows`, `drift`, `accuracy`, or `request` where no job could be made",
        examples=["cron"],
    )
    reason: Reason
    job_status: str | None = Field(None, examples=["succeeded"])
    model_version: int | None = Field(None, examples=[7])
    outcome: str | None = Field(
        None, examples=["stays a candidate: its error on the same held-out rows is not lower by 1 %"]
    )
    error: str | None = None


class ScheduleHistory(BaseModel):
    """What a schedule did, newest first."""

    events: list[ScheduleEventEntry]
    timestamp: Time
