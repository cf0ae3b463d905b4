"""The queue of training jobs: submitted by anybody, claimed by workers, watched and cancelled by anybody."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from perfcast.errors import Conflict, Fenced, Unavailable, UnknownJob
from perfcast.jobs.queue import _repository as repository
from perfcast.jobs.queue._job import Fence, Job, JobRequest, Once, Progress, Status, new_id
from perfcast.jobs.queue._transport import Transport
from perfcast.registry import Version
from perfcast.storage import Database, now, take_turns, time_text

_OVERDUE_SECONDS = 3.5
GATE_ATTEMPTS = 10
"""How often a job whose versions are registered is begun at least: what is left costs little, and ends it well."""
LONGEST_PAUSE_SECONDS = 600.0
_PAUSE_GROWTH = 4

log = structlog.stdlib.get_logger("perfcast.jobs")


class Jobs:
    """Jobs in a database; the row is the truth, messages only wake workers.

    Every write of a worker is given its claim, a `Fence`: once the job was taken from it, the write raises `Fenced`
    and changes nothing. Safe to share between threads, and between processes that each make their own. Where the
    database can't be reached, any method raises `Unavailable`.

    Args:
        database: Where the rows are.
        transport: Wakes workers; None where the caller never submits.
        attempts: How often a job is begun before it fails for good.
        retry_seconds: The first pause before a job is begun again.
    """

    def __init__(
        self, database: Database, transport: Transport | None = None, *, attempts: int = 3, retry_seconds: float = 10.0
    ) -> None:
        self._database, self._transport = database, transport
        self._attempts, self._retry_seconds = attempts, retry_seconds

    def submit(
        self,
        request: JobRequest,
        *,
        request_id: str | None = None,
        once: Once | None = None,
        within: Callable[[sa.Connection, str], None] | None = None,
    ) -> Job:
        """Keep a job and wake a worker; a queue that can't be reached is logged, and workers will look.

        `within` is called with the new job's id in the transaction that keeps it; what it raises undoes the job.
        `request_id` is that of the call that submits it; log lines about the job have it too. With `once`, a job that
        was submitted by the same name is given instead of a second one.

        Raises:
            Conflict: By that name something else was asked.
        """
        identifier = new_id()
        with self._database.begin() as connection:
            if once is not None:
                take_turns(connection, f"submit a job once: {once.name}")
                if (known := _known(connection, once)) is not None:
                    return known
            # to this model alone: what is `within` sees every job that was submitted to it before
            take_turns(connection, f"submit a job of {request.model}")
            repository.add(connection, identifier, request, request_id, once)
            if within is not None:
                within(connection, identifier)
        log.info("job submitted", job=identifier, model=request.model)
        self._wake(identifier)
        return self.find(identifier)

    def known(self, once: Once) -> Job | None:
        """The job that was submitted by this name; None where none was.

        Raises:
            Conflict: By that name something else was asked.
        """
        with self._database.read() as connection:
            return _known(connection, once)

    def find(self, identifier: str) -> Job:
        """A job by its id; raises `UnknownJob`."""
        with self._database.read() as connection:
            return _require(connection, identifier)

    def page(
        self, *, status: str = "", model: str = "", workload: str = "", limit: int = 50, offset: int = 0
    ) -> tuple[list[Job], int]:
        """Jobs newest first, of a status, model and workload where they are given, and how many there are in all."""
        given = {"status": status, "model": model, "workload": workload}
        with self._database.read() as connection:
            return repository.page(connection, {k: v for k, v in given.items() if v}, limit, offset)

    def cancel(self, identifier: str) -> Job:
        """End a job that waits, and ask a running one to end: it will have within 5 s.

        Raises:
            UnknownJob: There is none.
            Conflict: It has finished, or has registered its versions and is about to.
        """
        with self._database.begin() as connection:
            asked = repository.cancel(connection, identifier)
            job = _require(connection, identifier)
        if asked:
            return job
        said = f"has {job.status}" if job.finished else "has registered its versions"
        raise Conflict(f"job {identifier} {said}, so it can't be cancelled; its versions, if any, can be deactivated")

    def claim(self, worker: str) -> Job | None:
        """Take the oldest queued job whose model no other job trains just now; of several workers one gets it."""
        with self._database.read() as connection:
            if not repository.any_claimable(connection):
                return None
        with self._database.begin() as connection:
            return repository.claim(connection, worker)

    def beat(self, fence: Fence, *, spent_seconds: float, progress: Progress | None = None) -> None:
        """Say that a running job lives, how long it has run over all attempts, and how far it is if that changed."""
        beat = {"heartbeat_at": now(), "spent_seconds": spent_seconds}
        self._write(fence, beat | (repository.columns(progress) if progress else {}))

    def is_cancelled(self, fence: Fence) -> bool:
        """Whether a running job shall end."""
        job = self.find(fence.job)
        if job.fence != fence or job.status != "running":
            raise repository.fenced(fence)
        return job.cancel_requested_at is not None

    def record(self, fence: Fence, connection: sa.Connection, versions: list[Version]) -> None:
        """Keep a job's versions in the transaction that registers them, so that it happens once or not at all.

        Raises:
            Fenced: The claim no longer holds, or the job shall end; then nothing is registered.
        """
        values = {"versions": [version.number for version in versions], "stage": "registering"}
        repository.write(connection, fence, values, cancelled_too=False)

    def succeed(self, fence: Fence, *, version: int, outcome: str) -> None:
        """End a running job well."""
        self._end(fence, "succeeded", progress=1.0, model_version=version, outcome=outcome, error=None)

    def fail(self, fence: Fence, error: str) -> None:
        """End a running job for good. One whose versions are registered has succeeded all the same."""
        with self._database.begin() as connection:
            versions = _require(connection, fence.job, locked=True).versions
            repository.write(connection, fence, repository.failed(error, versions))

    def finish_cancelled(self, fence: Fence) -> None:
        """End a running job that was cancelled."""
        self._end(fence, "cancelled", error=None)

    def hand_back(self, fence: Fence) -> None:
        """Put a running job back, because its worker is stopped; the attempt doesn't count."""
        job = self.find(fence.job)
        values = repository.requeued(None) | {"handed_back": job.handed_back + 1}
        self._write(fence, values)
        self._wake(fence.job)

    def retry(self, fence: Fence, error: str, *, at_once: bool = False) -> Status:
        """Put a running job back after something broke; after the last attempt it has failed. Gives its status then.

        It is begun again after a pause, so that what was out of order has time to recover: `retry_seconds`, and four
        times as long from one attempt to the next, up to ten minutes. Where it was but killed, the first is `at_once`.
        """
        job = self.find(fence.job)
        attempts = self._attempts if job.versions is None else max(self._attempts, GATE_ATTEMPTS)
        if job.tries >= attempts and job.cancel_requested_at is None:
            self.fail(fence, f"{error}; given up after {job.tries} attempts")
            return self.find(fence.job).status
        pause = self._pause(job.tries - at_once)
        retry_at = time_text(datetime.now(UTC) + timedelta(seconds=pause)) if pause else None
        told = error if retry_at is None else f"{error}; it is tried again at {retry_at[:19]}Z"
        self._write(fence, repository.requeued(told, retry_at))
        if retry_at is None:
            self._wake(fence.job)
        return self.find(fence.job).status

    def _pause(self, step: int) -> float:
        """Seconds before the next attempt: none at step 0, then four times as long from step to step."""
        return min(self._retry_seconds * _PAUSE_GROWTH ** (step - 1), LONGEST_PAUSE_SECONDS) if step > 0 else 0.0

    def running(self) -> list[Job]:
        """Every running job, oldest first."""
        with self._database.read() as connection:
            return repository.running(connection)

    def end_overdue(self, identifier: str) -> Job:
        """The job; one that should have been cancelled by now, and whose worker doesn't do it, is cancelled here."""
        job = self.find(identifier)
        if job.status == "running" and _is_overdue(job):
            log.warning("the worker didn't cancel in time: taken from it", job=job.id, worker=job.worker)
            try:
                self.finish_cancelled(job.fence)
            except Fenced:
                log.info("the job ended just now", job=job.id)
            return self.find(identifier)
        return job

    def _end(self, fence: Fence, status: Status, **values: object) -> None:
        self._write(fence, {"status": status, "finished_at": now(), "eta_seconds": None, **values})

    def _write(self, fence: Fence, values: Mapping[str, Any]) -> None:
        with self._database.begin() as connection:
            repository.write(connection, fence, values)

    def _wake(self, identifier: str) -> None:
        if self._transport is None:
            return
        try:
            self._transport.send(identifier)
        except Unavailable as error:
            log.warning("no worker was woken: they look by themselves", job=identifier, reason=str(error))


def _is_overdue(job: Job) -> bool:
    """Whether the job was asked to end so long ago that its worker should have done it."""
    asked = job.cancel_requested_at
    if asked is None or job.versions is not None:
        return False
    return datetime.now(UTC) - datetime.fromisoformat(asked) > timedelta(seconds=_OVERDUE_SECONDS)


def _known(connection: sa.Connection, once: Once) -> Job | None:
    found = repository.known(connection, once)
    if found is None:
        return None
    identifier, same = found
    if not same:
        raise Conflict(f"under this Idempotency-Key something else was asked, which is job {identifier}; use a new key")
    return _require(connection, identifier)


def _require(connection: sa.Connection, identifier: str, *, locked: bool = False) -> Job:
    job = repository.find(connection, identifier, locked=locked)
    if job is None:
        raise UnknownJob(identifier, hint="`perfcast jobs list` or GET /train/jobs shows them")
    return job
