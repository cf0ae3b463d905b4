"""Training jobs over HTTP: submit, look, list, cancel, follow."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from perfcast.api.http._identifiers import REQUEST_ID, timestamp
from perfcast.api.http._lifetime import Lifetime
from perfcast.api.http._reply import Alive, Json, called, held
from perfcast.api.http._schemas import example_of, problems, said
from perfcast.api.training._answers import JobDetails, JobList, TrainingJob
from perfcast.errors import Unavailable
from perfcast.jobs import Asked, Job, Jobs, Once, Submissions

router = APIRouter(tags=["training"])

_FOLLOW_SECONDS = 0.5
_KEEP_ALIVE_SECONDS = 15.0
_WAITING = example_of(
    TrainingJob,
    **dict.fromkeys(("stage", "best_score", "best_family", "eta_seconds", "started_at", "worker")),
    **{"status": "queued", **dict.fromkeys(("progress", "trial", "attempt", "spent_seconds"), 0)},
)
_CANCELLED = example_of(TrainingJob, cancel_requested=True)
_SHOWN = {"summary": "A job"} | said(JobDetails, "The job", 404, 422, 503)
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One `job` event for each change, each with the whole job; then `done`",
        "content": {"text/event-stream": {"example": 'event: job\ndata: {"job_id": "…", "status": "running"}\n\n'}},
    }
}


class TrainingBody(BaseModel):
    """What to train; everything may be left out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    n_trials: int = Field(20, ge=1, le=10_000, description="Most trials of the search.")
    workload: str | None = Field(None, max_length=128, description="What to predict; `cpu-utilization` by default.")
    model_name: str | None = Field(
        None, max_length=128, description="The model that gets the versions; the workload's default model by default."
    )
    dataset: str | None = Field(
        None, max_length=200, description="NAME or NAME@DIGEST; the newest of the model's line by default."
    )
    families: list[str] = Field([], max_length=20, description="Which to try; all by default.")
    timeout_seconds: float | None = Field(None, ge=1, le=604_800, description="Most seconds of training.")
    metric: str | None = Field(
        None, description="`mae` for absolute costs, `mape` for relative ones: what is tuned by."
    )
    promote: Literal["auto", "never"] = Field("auto", description="Whether the gate may make the best the champion.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="The same seed gives the same trials (without a timeout).")
    newest_rows: int | None = Field(
        None, ge=250, le=1_000_000_000, description="Learn from so many of the newest rows only; all by default."
    )
    base: str | None = Field(
        None, max_length=256, description="Version to start from, such as another device's: a model reference."
    )
    trends: Literal["prefer", "require", "ignore"] = Field(
        "prefer",
        description="Versions that keep the declared trends come first, or only they come, or none is held to them.",
    )


_BODIES: dict[str, Any] = {
    "trials": {"summary": "The default model anew", "value": {"n_trials": 20}},
    "all": {
        "summary": "Everything said",
        "value": {
            "n_trials": 100,
            "workload": "cnn-execution-time",
            "model_name": "cnn-execution-time-cpu-torch",
            "dataset": "cpu-torch",
            "families": ["xgboost", "neural_network"],
            "timeout_seconds": 300,
            "promote": "never",
            "seed": 1,
        },
    },
}
Asking = Annotated[TrainingBody | None, Body(openapi_examples=_BODIES)]
Queue = Annotated[Jobs, held(Jobs)]
Statuses = Literal["queued", "running", "succeeded", "failed", "cancelled"]


@router.post(
    "/train",
    summary="Submit a training job",
    **said(TrainingJob, "Taken", 409, 413, 422, 503, status=202, example=_WAITING),
)
def submit(
    request: Request,
    jobs: Queue,
    submissions: Annotated[Submissions, held(Submissions)],
    body: Asking = None,
    key: Annotated[str, called("it is answered with the same job, and no second one is made")] = "",
) -> Json:
    """Queue a training run; a worker begins it. `perfcast worker` starts one, and `perfcast up` has one."""
    asked = msgspec.convert((body or TrainingBody.model_validate({})).model_dump(), Asked)
    once = Once.of(key, asked) if key else None
    job = jobs.known(once) if once is not None else None  # before its names are looked up, which may have changed
    if job is None:
        job = jobs.submit(submissions.complete(asked), request_id=request.scope.get(REQUEST_ID), once=once)
    return Json(job.document(), status_code=202, headers={"Location": f"/jobs/{job.id}"})


@router.get("/train/jobs", summary="List the jobs", **said(JobList, "Jobs, newest first", 422, 503))
def list_jobs(
    queue: Queue,
    status: Annotated[Statuses | None, Query(description="Only those of this status")] = None,
    model_name: Annotated[str, Query(description="Only those of this model")] = "",
    workload: Annotated[str, Query(description="Only those of this workload")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> Json:
    """All jobs, newest first."""
    jobs, total = queue.page(status=status or "", model=model_name, workload=workload, limit=limit, offset=offset)
    listed = [job.document() for job in jobs]
    return Json({"jobs": listed, "total": total, "limit": limit, "offset": offset, "timestamp": timestamp()})


@router.get("/train/status/{job_id}", **_SHOWN)
@router.get("/jobs/{job_id}", **_SHOWN)
def show(job_id: str, jobs: Queue) -> Json:
    """A job: how far it is, the best so far, its last trials, what came of it."""
    return Json(_document(jobs.end_overdue(job_id)))


@router.post(
    "/train/cancel/{job_id}",
    summary="Cancel a job",
    **said(TrainingJob, "It will have ended soon", 404, 409, 422, 503, status=202, example=_CANCELLED),
)
def cancel(job_id: str, jobs: Queue) -> Json:
    """End a job: at once while it waits, within five seconds while it runs. 409 when it has finished."""
    return Json(jobs.cancel(job_id).document(), status_code=202)


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    response_class=StreamingResponse,
    responses={**_EVENTS, **problems(404, 422, 503)},
)
async def events(job_id: str, jobs: Queue, lifetime: Alive) -> StreamingResponse:
    """Server-sent events: the whole job at each change, until it has ended."""
    first = await run_in_threadpool(jobs.end_overdue, job_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_follow(jobs, first, lifetime), media_type="text/event-stream", headers=headers)


async def _follow(jobs: Jobs, job: Job, lifetime: Lifetime) -> AsyncIterator[bytes]:
    said, silent = b"", 0.0
    yield b"retry: 2000\n\n"
    while not lifetime.draining:
        document = msgspec.json.encode(_document(job) | {"heartbeat_at": None, "spent_seconds": None})
        if document != said:
            said, silent = document, 0.0
            yield b"event: job\ndata: " + msgspec.json.encode(_document(job)) + b"\n\n"
        if job.finished:
            yield b"event: done\ndata: {}\n\n"
            return
        if silent >= _KEEP_ALIVE_SECONDS:
            silent = 0.0
            yield b": still here\n\n"
        await asyncio.sleep(_FOLLOW_SECONDS)
        silent += _FOLLOW_SECONDS
        try:
            job = await run_in_threadpool(jobs.end_overdue, job.id)
        except Unavailable:  # the database restarts: the caller waits with us
            continue


def _document(job: Job) -> dict[str, Any]:
    return job.document() | {"trials": job.trials()}
