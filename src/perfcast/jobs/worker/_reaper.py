"""Finds running jobs whose worker is gone, and puts them back."""

import time

import structlog

from perfcast.errors import Fenced, Unavailable
from perfcast.jobs.queue import Job, Jobs
from perfcast.jobs.worker._liveness import Liveness

_LEAST_LOOKS = 3
"""So often in a row a heartbeat must be seen to stand still."""

log = structlog.stdlib.get_logger("perfcast.jobs")


class Reaper:
    """Looks at the running jobs now and then.

    A worker is taken for dead when its lock says so, or when a heartbeat has not changed for `stale_seconds` while this
    reaper watched: its own clock counts, so machines whose clocks differ don't take each other's jobs away. And only
    the time between looks that follow each other counts: while the database, the machine or this worker stood still,
    nobody could tell whether a worker lives.
    """

    def __init__(self, jobs: Jobs, liveness: Liveness, *, stale_seconds: float) -> None:
        self._jobs, self._liveness, self._stale_seconds = jobs, liveness, stale_seconds
        self._seen: dict[str, tuple[str | None, float]] = {}
        self._looked = time.monotonic()

    def look(self) -> list[str]:
        """Put back or end every job whose worker is gone; gives the ids of those jobs."""
        dead = self._liveness.dead()  # before the jobs are read: what these workers have claimed is among them
        try:
            running = self._jobs.running()
        except Unavailable:
            self._seen.clear()  # nobody could write a heartbeat either
            raise
        self._watch(running)
        gone = [job for job in running if job.worker in dead or self._seen[job.id][1] >= self._stale_seconds]
        taken = [job.id for job in gone if self._take(job)]
        for worker in dead:  # not before all their jobs have been seen to: the database may go on the way
            self._liveness.forget(worker)
        asked = [job.id for job in running if job.cancel_requested_at is not None and job not in gone]
        return taken + [job for job in asked if self._jobs.end_overdue(job).status == "cancelled"]

    def _watch(self, running: list[Job]) -> None:
        """Note how long each heartbeat has stood still; a look that comes late counts as if it had come in time."""
        at = time.monotonic()
        passed = min(at - self._looked, self._stale_seconds / _LEAST_LOOKS)
        self._looked = at
        before, self._seen = self._seen, {}
        for job in running:
            heartbeat, still = before.get(job.id, (None, 0.0))
            same = job.id in before and heartbeat == job.heartbeat_at
            self._seen[job.id] = job.heartbeat_at, still + passed if same else 0.0

    def _take(self, job: Job) -> bool:
        try:
            status = self._jobs.retry(job.fence, f"its worker {job.worker} died or stopped answering", at_once=True)
        except Fenced:
            return False
        log.warning("took a job from a worker that is gone", job=job.id, worker=job.worker, status=status)
        return True
