"""Training jobs."""

from collections.abc import Sequence
from typing import Any, Literal

from perfcast_client._call import Call, Repeat, given, json, part, reading
from perfcast_client.answers import JobDetails, JobList, TrainingJob


def train(
    *,
    n_trials: int | None = None,
    workload: str | None = None,
    model: str | None = None,
    dataset: str | None = None,
    families: Sequence[str] | None = None,
    timeout_seconds: float | None = None,
    metric: str | None = None,
    promote: Literal["auto", "never"] | None = None,
    seed: int | None = None,
    newest_rows: int | None = None,
    base: str | None = None,
    trends: Literal["prefer", "require", "ignore"] | None = None,
) -> Call[TrainingJob]:
    """Queue a training run; a worker begins it. What is None has the server's default.

    It is sent under an `Idempotency-Key`, so that repeating it makes no second job.

    Args:
        n_trials: Most trials of the search; 20 if None.
        workload: What to predict; `cpu-utilization` if nothing else says it.
        model: That gets the versions; the workload's default model if None.
        dataset: NAME or NAME@DIGEST; the newest of the model's line if None.
        families: Which to try; all if None.
        timeout_seconds: Most seconds of training.
        metric: What is tuned by: `mae` or `mape`; the workload's own if None.
        promote: Whether the gate may make the best the champion.
        seed: The same one gives the same trials, without a timeout.
        newest_rows: Learn from so many of the newest rows only.
        base: Version to start from, such as another device's: NAME, NAME:VERSION or NAME@ALIAS.
        trends: Whether versions that keep the declared trends come first (`prefer`, if None), are the only ones, or
            none is held to them.
    """
    asked = given(
        n_trials=n_trials,
        workload=workload,
        model_name=model,
        dataset=dataset,
        families=families,
        timeout_seconds=timeout_seconds,
        metric=metric,
        promote=promote,
        seed=seed,
        newest_rows=newest_rows,
        base=base,
        trends=trends,
    )
    return Call("POST", "/train", reading(TrainingJob), body=json(asked), repeat=Repeat.KEYED)


def list_jobs(
    *,
    status: str | None = None,
    model: str | None = None,
    workload: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> Call[JobList]:
    """A page of the jobs, newest first, `limit` (500 at most) of them from the `offset`th on."""
    query: dict[str, Any] = {"status": status, "model_name": model, "workload": workload}
    return Call("GET", "/train/jobs", reading(JobList), query={**query, "limit": limit, "offset": offset})


def get_job(job_id: str) -> Call[JobDetails]:
    """A job: how far it is, the best so far, its last trials, what came of it."""
    return Call("GET", f"/jobs/{part(job_id)}", reading(JobDetails))


def cancel_job(job_id: str) -> Call[TrainingJob]:
    """End a job: at once while it waits, within five seconds while it runs. `Conflict` when it has finished."""
    return Call("POST", f"/train/cancel/{part(job_id)}", reading(TrainingJob), repeat=Repeat.UNSENT)


def follow_job(job_id: str) -> Call[bytes]:
    """A job's server-sent events; the clients' `watch` reads them."""
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    return Call("GET", f"/jobs/{part(job_id)}/events", bytes, headers=headers)
