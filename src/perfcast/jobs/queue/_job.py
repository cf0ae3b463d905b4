"""What a training job is: plain data, as the table keeps it."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, NamedTuple, TypeAlias
from uuid import UUID

import msgspec

Status: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
STATUSES: tuple[Status, ...] = ("queued", "running", "succeeded", "failed", "cancelled")
UNFINISHED = frozenset({"queued", "running"})


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How to train, whatever is trained.

    Attributes:
        families: Which to try; all when empty.
        n_trials: Most trials.
        timeout_seconds: Most seconds of training; None for no limit.
        promote: `auto` lets the gate decide, `never` leaves the champion alone.
        seed: Of the search.
        newest_rows: Learn from so many of the newest rows only; None for all. Needs rows with times.
        base: Model reference of an older version to start from, such as another device's; None for none.
        trends: `prefer` puts versions that keep the declared trends first, `require` leaves others out, `ignore` holds
            none to them.
    """

    n_trials: int = 20
    families: tuple[str, ...] = ()
    timeout_seconds: float | None = None
    promote: Literal["auto", "never"] = "auto"
    seed: int = 0
    newest_rows: int | None = None
    base: str | None = None
    trends: Literal["prefer", "require", "ignore"] = "prefer"


class JobRequest(Effort, frozen=True, kw_only=True):
    """What to train, complete: nothing is left to be found out when the job runs.

    Attributes:
        model: The model that gets the versions.
        workload: What is predicted.
        dataset: Name of the dataset.
        digest: Of the dataset's rows, so that rows which come later change nothing.
        metric: What the search minimises; None where only the dataset's own declaration says it.
    """

    model: str
    workload: str
    dataset: str
    digest: str
    metric: str | None = None


class Once(NamedTuple):
    """By what a request is known again that a caller may send twice.

    Attributes:
        name: sha256 of what the caller calls it.
        asked: sha256 of what it asks for.
    """

    name: str
    asked: str

    @classmethod
    def of(cls, name: str, asked: Effort) -> "Once":
        """Of a request's name and what it asks for, whether or not that spells out its defaults."""
        return cls(
            sha256(name.encode()).hexdigest(), sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
        )


@dataclass(frozen=True)
class Fence:
    """Who may write to a running job: one claim of it. Any later claim or cancellation shuts this one out."""

    job: str
    attempt: int
    worker: str


@dataclass(frozen=True)
class Progress:
    """How far a running job is, as its row says.

    Attributes:
        stage: `preparing`, `searching`, `fitting` or `registering`.
        share: 0 to 1.
        trial: Trials finished.
        best_score, best_family: Of all trials so far.
        eta_seconds: About how long it will still take; None while nothing is known.
        trials: The last trials: number, family, state, score.
    """

    stage: str = "preparing"
    share: float = 0.0
    trial: int = 0
    best_score: float | None = None
    best_family: str | None = None
    eta_seconds: float | None = None
    trials: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Job:
    """One training run.

    Attributes:
        attempt: How often it has been claimed; rises with each claim.
        handed_back: Claims that don't count, because the worker was stopped and gave the job back.
        spent_seconds: How long it has run, over all attempts.
        versions: Numbers of the registered versions, the best one last; None until they are.
        model_version: The best one, once the job has succeeded.
        outcome: What the promotion gate said.
        retry_at: When a job that was put back may be claimed again; None where it may be at once.
        request_id: Of the call that submitted it; None where none did.
        trace_parent: W3C `traceparent` of what submitted it; None where that isn't traced.
    """

    id: str
    status: Status
    request: JobRequest
    created_at: str
    started_at: str | None
    finished_at: str | None
    heartbeat_at: str | None
    cancel_requested_at: str | None
    worker: str | None
    attempt: int
    handed_back: int
    spent_seconds: float
    progress: Progress
    versions: tuple[int, ...] | None
    model_version: int | None
    outcome: str
    error: str | None
    retry_at: str | None
    request_id: str | None = None
    trace_parent: str | None = None

    @property
    def finished(self) -> bool:
        """Whether its status is final."""
        return self.status not in UNFINISHED

    @property
    def tries(self) -> int:
        """Attempts that count."""
        return self.attempt - self.handed_back

    @property
    def fence(self) -> Fence:
        """The right to write that this claim gave."""
        return Fence(self.id, self.attempt, self.worker or "")

    def document(self) -> dict[str, Any]:
        """The job as the HTTP contract shows it."""
        progress, request = self.progress, self.request
        return {
            "job_id": self.id,
            "status": self.status,
            "progress": round(progress.share, 4),
            "stage": progress.stage if self.status == "running" else None,
            "trial": progress.trial,
            "n_trials": request.n_trials,
            "best_score": progress.best_score,
            "best_family": progress.best_family,
            "eta_seconds": progress.eta_seconds,
            "created_at": self.created_at,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "attempt": self.tries,
            "error": self.error,
            "retry_at": self.retry_at if self.status == "queued" else None,
            "model_name": request.model,
            "model_version": self.model_version,
            "outcome": self.outcome or None,
            "workload": request.workload,
            "dataset": request.dataset,
            "families": list(request.families),
            "metric": request.metric,
            "timeout_seconds": request.timeout_seconds,
            "promote": request.promote,
            "seed": request.seed,
            "newest_rows": request.newest_rows,
            "base": request.base,
            "trends": request.trends,
            "cancel_requested": self.cancel_requested_at is not None,
            "worker": self.worker,
            "spent_seconds": round(self.spent_seconds, 1),
            "request_id": self.request_id,
        }

    def trials(self) -> list[dict[str, Any]]:
        """The last trials as the HTTP contract shows them: number, family, state, score, seconds."""
        return [dict(trial) for trial in self.progress.trials]


def new_id() -> str:
    """A new job's id: a UUID of version 7 (RFC 9562, section 5.7), which sorts by time."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    return str(UUID(int=value & ~(0x3 << 62) | 0x2 << 62))
