"""What answers about jobs and schedules look like, for the OpenAPI document; tests hold real answers against these."""

from pydantic import Field

from perfcast.api.http._answers import Answer, Time


class TrainingJob(Answer):
    """A training run."""

    job_id: str
    status: str = Field(description="`queued`, `running`, `succeeded`, `failed` or `cancelled`")
    progress: float = Field(description="0 to 1")
    stage: str | None = Field(None, description="While it runs: `preparing`, `searching`, `fitting` or `registering`")
    trial: int = Field(description="Trials finished")
    n_trials: int
    best_score: float | None = Field(None, description="Least error on the search's validation rows, by `metric`")
    best_family: str | None = None
    eta_seconds: float | None = None
    created_at: Time
    started_at: Time | None = None
    finished_at: Time | None = None
    attempt: int = Field(description="How often it has been begun; not counting where a stopped worker gave it back")
    error: str | None = None
    retry_at: Time | None = Field(None, description="When it is begun again, where it waits after something broke")
    model_name: str
    model_version: int | None = Field(None, description="The best version, once it has succeeded")
    outcome: str | None = Field(None, description="What the promotion gate said")
    workload: str
    dataset: str
    families: list[str] = Field(description="Which are tried; all when empty")
    metric: str | None = None
    timeout_seconds: float | None = None
    promote: str
    seed: int
    cancel_requested: bool
    worker: str | None = Field(None, description="Who has it, or had it last")
    spent_seconds: float = Field(description="How long it has run, over all attempts")


class Trial(Answer):
    """One try of a family's settings."""

    trial: int
    family: str
    state: str = Field(description="`running`, `complete`, `pruned` or `failed`")
    score: float | None = Field(None, description="Null where there is none (yet)")
    seconds: float | None = Field(None, description="Null while it runs")


class JobDetails(TrainingJob):
    """A training run with its last trials."""

    trials: list[Trial]


class JobList(Answer):
    """A page of jobs, newest first."""

    jobs: list[TrainingJob]
    total: int
    limit: int
    offset: int
    timestamp: Time


class RetrainRequest(Answer):
    """How a schedule trains."""

    n_trials: int
    families: list[str]
    timeout_seconds: float | None = None
    dataset: str | None = Field(None, description="The line to learn from; null for the model's own")
    promote: str
    seed: int


class ScheduleEntry(Answer):
    """When a model is trained anew, and what came of it last."""

    model_name: str
    cron: str | None = None
    new_rows: int | None = None
    drift: bool
    enabled: bool
    minimum_interval_seconds: float
    request: RetrainRequest
    updated_at: Time
    signal: str | None = Field(None, description="A signal that hasn't been acted on: `drift` or `accuracy`")
    signal_reason: str | None = None
    held_back: str | None = Field(None, description="Why it waits although it is due")
    last_fired_at: Time | None = None
    last_reason: str | None = None
    last_job: str | None = None
    last_digest: str | None = Field(None, description="Of the rows that the last run was given")
    last_rows: int | None = None
    next_at: Time | None = Field(None, description="When its cron expression comes about next")
    time_zone: str


class ScheduleList(Answer):
    """All schedules, sorted by model."""

    schedules: list[ScheduleEntry]
    total: int
    timestamp: Time


class ScheduleEventEntry(Answer):
    """One thing that a schedule did, and what became of the job."""

    model_name: str
    job_id: str | None = None
    at: Time
    kind: str = Field(description="`fired`, `held_back` or `signal`")
    trigger: str = Field(description="`cron`, `new_rows`, `drift`, `accuracy`, or `request` where no job could be made")
    reason: str
    job_status: str | None = None
    model_version: int | None = None
    outcome: str | None = None
    error: str | None = None


class ScheduleHistory(Answer):
    """What a schedule did, newest first."""

    events: list[ScheduleEventEntry]
    timestamp: Time
