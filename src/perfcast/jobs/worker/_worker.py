"""The worker: claims jobs, supervises them, and looks after those of workers that are gone."""

from collections.abc import Sequence
from threading import Thread

import structlog

from perfcast.errors import Unavailable
from perfcast.jobs.queue import Jobs, Transport
from perfcast.jobs.worker._chore import Chore
from perfcast.jobs.worker._liveness import Liveness, new_worker
from perfcast.jobs.worker._reaper import Reaper
from perfcast.jobs.worker._stopping import Stopping
from perfcast.jobs.worker._supervision import Supervision
from perfcast.settings import Settings

_FULL_SECONDS = 0.2
_WAIT_SECONDS = 1.0
_REAP_SECONDS = 0.5
"""At each turn, mostly: a cancelled job whose worker does nothing must have ended within 5 s."""

log = structlog.stdlib.get_logger("perfcast.jobs")


class Worker:
    """Runs jobs until it is `stopping`, with so many threads for all together, and does chores beside them."""

    def __init__(
        self, settings: Settings, jobs: Jobs, transport: Transport, *, threads: int, chores: Sequence[Chore] = ()
    ) -> None:
        self.name = new_worker()
        self._settings, self._jobs, self._transport = settings, jobs, transport
        self._wait_seconds = min(_WAIT_SECONDS, settings.job_poll_seconds)
        self._threads = max(1, threads // settings.worker_concurrency)
        self._liveness = Liveness(settings.data_dir.absolute() / "workers")
        stale = max(settings.job_stale_seconds, 3 * settings.job_heartbeat_seconds)
        reaper = Reaper(jobs, self._liveness, stale_seconds=stale)
        often = min(_REAP_SECONDS, settings.job_heartbeat_seconds)
        self._chores = [Chore("jobs of other workers", reaper.look, every_seconds=often), *chores]
        self._running: list[Thread] = []
        self.stopping = Stopping()
        self._reachable = True

    def stop(self) -> None:
        """End soon: running jobs are handed back, and the next worker continues them. May be called by a handler."""
        self.stopping.ask()

    def run(self) -> None:
        """Work until `stop`."""
        self._liveness.hold(self.name)
        log.info("worker ready", worker=self.name, concurrency=self._settings.worker_concurrency)
        try:
            while not self.stopping:
                self._turn()
        finally:
            self._drain()
            self._liveness.release(self.name)
            log.info("worker ended", worker=self.name)

    def _turn(self) -> None:
        """One look around: who has ended, who is gone, who waits."""
        self._running = [thread for thread in self._running if thread.is_alive()]
        try:
            for chore in self._chores:
                chore.do_if_due()
            if len(self._running) >= self._settings.worker_concurrency:
                self.stopping.wait(_FULL_SECONDS)
            elif not self._begin():
                self._transport.receive(self._wait_seconds)  # not long: a message may be lost, a row is not
            self._reachable = True
        except Unavailable as error:
            if self._reachable:
                log.warning("waiting for what can't be reached", reason=str(error))
            self._reachable = False
            self.stopping.wait(self._wait_seconds)

    def _begin(self) -> bool:
        """Claim a job and begin it; False where none waits."""
        job = self._jobs.claim(self.name)
        if job is None:
            return False
        supervision = Supervision(self._settings, self._jobs, job, threads=self._threads, stopping=self.stopping)
        thread = Thread(target=supervision.run, name=f"perfcast-job-{job.id}")
        self._running.append(thread)
        thread.start()
        return True

    def _drain(self) -> None:
        self.stopping.ask()  # also where it ends by itself, because something unforeseen went wrong
        for thread in self._running:
            thread.join()
