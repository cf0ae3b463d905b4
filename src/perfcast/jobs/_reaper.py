"""Finds running jobs whose worker is gone, and puts them back."""

import time

import structlog

from perfcast.errors import Fenced, Unavailable
from perfcast.jobs._job import Job
from perfcast.jobs._jobs import Jobs, is_overdue
from perfcast.jobs._liveness import Liveness

log = structlog.stdlib.get_logger("perfcast.jobs")


class Reaper:
    """Looks at the running jobs now and then.

    A worker is taken for dead when its lock says so, or when a heartbeat has not changed for `stale_seconds` while this
    reaper watched: its own clock counts, so machines whose clocks differ don't take each other's jobs away.

    Args:
        jobs: Where the rows are.
        liveness: The locks of workers of this machine.
        stale_seconds: How long a heartbeat may stand still.
    """

    def __init__(self, jobs: Jobs, liveness: Liveness, *, stale_seconds: float) -> None:
        self._jobs = jobs
        self._liveness = liveness
        self._stale_seconds = stale_seconds
        self._seen: dict[str, tuple[str | None, float]] = {}

    def look(self) -> list[str]:
        """Put back or end every job whose worker is gone.

        Returns:
            The ids of those jobs.
        """
        try:
            running = self._jobs.running()
        except Unavailable:
            self._seen.clear()  # nobody could write a heartbeat either
            raise
        self._seen = {job.id: self._since(job) for job in running}
        gone = [job for job in running if self._is_abandoned(job)]
        return [job.id for job in gone if self._take(job)] + self._end_overdue(running)

    def _since(self, job: Job) -> tuple[str | None, float]:
        seen = self._seen.get(job.id)
        if seen is not None and seen[0] == job.heartbeat_at:
            return seen
        return job.heartbeat_at, time.monotonic()

    def _is_abandoned(self, job: Job) -> bool:
        if job.worker is not None and self._liveness.is_dead(job.worker):
            return True
        return time.monotonic() - self._seen[job.id][1] > self._stale_seconds

    def _take(self, job: Job) -> bool:
        try:
            status = self._jobs.retry(job.fence, f"its worker {job.worker} died or stopped answering")
        except Fenced:
            return False
        log.warning("took a job from a worker that is gone", job=job.id, worker=job.worker, status=status)
        self._liveness.forget(job.worker or "")
        return True

    def _end_overdue(self, running: list[Job]) -> list[str]:
        ended = [self._jobs.end_overdue(job.id) for job in running if is_overdue(job)]
        return [job.id for job in ended if job.status == "cancelled"]
