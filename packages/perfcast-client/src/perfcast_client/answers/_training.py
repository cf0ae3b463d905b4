"""Training jobs."""

from datetime import datetime

from msgspec import Struct

FINAL = frozenset({"succeeded", "failed", "cancelled"})


class Trial(Struct, frozen=True):
    """One try of a family's settings; `state` is `running`, `complete`, `pruned` or `failed`."""

    trial: int
    family: str
    state: str
    score: float | None = None
    seconds: float | None = None


class TrainingJob(Struct, frozen=True, kw_only=True):
    """A training run.

    Attributes:
        status: `queued`, `running`, `succeeded`, `failed` or `cancelled`.
        progress: 0 to 1.
        stage: While it runs: `preparing`, `searching`, `fitting` or `registering`.
        trial: Trials finished.
        best_score: Least error on the search's validation rows, by `metric`.
        attempt: How often it has been begun, not counting where a stopped worker gave it back.
        retry_at: When it is begun again, where it waits after something broke.
        model_version: The best version, once it has succeeded.
        outcome: What the promotion gate said.
        families: Which are tried; all when empty.
        spent_seconds: How long it has run, over all attempts.
        request_id: Of the call that submitted it.
    """

    job_id: str
    status: str
    progress: float
    trial: int
    n_trials: int
    created_at: datetime
    attempt: int
    model_name: str
    workload: str
    dataset: str
    families: list[str]
    promote: str
    seed: int
    cancel_requested: bool
    spent_seconds: float
    stage: str | None = None
    best_score: float | None = None
    best_family: str | None = None
    eta_seconds: float | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    retry_at: datetime | None = None
    model_version: int | None = None
    outcome: str | None = None
    metric: str | None = None
    timeout_seconds: float | None = None
    newest_rows: int | None = None
    base: str | None = None
    trends: str = "prefer"
    worker: str | None = None
    request_id: str | None = None

    @property
    def finished(self) -> bool:
        """Whether it has ended, however."""
        return self.status in FINAL

    @property
    def succeeded(self) -> bool:
        """Whether it has ended well."""
        return self.status == "succeeded"


class JobDetails(TrainingJob, frozen=True, kw_only=True):
    """A training run with its last trials."""

    trials: list[Trial]


class JobList(Struct, frozen=True):
    """A page of jobs, newest first; `total` is how many there are in all."""

    jobs: list[TrainingJob]
    total: int
    limit: int
    offset: int
    timestamp: datetime
