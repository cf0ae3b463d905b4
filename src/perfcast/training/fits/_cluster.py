"""Fits on the workers of a Dask cluster, one thread each."""

import time
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from perfcast.cluster import Cluster
from perfcast.errors import Stopped, Unavailable
from perfcast.training.families import Stop, never
from perfcast.training.fits._executor import patience
from perfcast.training.fits._fitting import FitResult, FitTask, fit
from perfcast.training.fits._inner import Inner

_LOOK_SECONDS = 0.1
_GATHER_SECONDS = 60


class OnCluster:
    """Sends fits to whichever worker is free. Dask runs those of a killed worker elsewhere by itself.

    Workers need no access to the study or the database: what decides a trial travels with it, and its result back.

    Args:
        inner: What the fits learn; copied to all workers once.
        address: Of the scheduler.
        stop: Asked while waiting.

    Raises:
        Unavailable: There is no scheduler, or it has no worker.
        MissingDependency: `perfcast[cluster]` is not installed.
    """

    def __init__(self, inner: Inner, address: str, *, stop: Stop = never) -> None:
        self._inner, self._stop = inner, stop
        self._cluster = Cluster(address)
        self._lesson: Any = None
        self._under_way: dict[Any, tuple[FitTask, float]] = {}
        self._done: SimpleQueue[Any] = SimpleQueue()

    @property
    def slots(self) -> int:
        """The threads of all workers together, as many as there are just now."""
        return max(1, self._cluster.threads)

    def submit(self, task: FitTask) -> None:
        """Send the fit to the scheduler."""
        self._cluster.require_scheduler()
        if self._lesson is None or self._lesson.status in ("cancelled", "lost"):
            self._lesson = self._send(self._inner)
        key = f"perfcast-fit-{uuid4()}"
        future = self._cluster.client.submit(_fit_there, self._lesson, task, key=key, pure=False)
        self._under_way[future] = task, time.monotonic() + patience(task)
        future.add_done_callback(self._done.put)

    def wait(self, seconds: float) -> list[FitResult]:
        """The fits that ended, and those that had to be given up."""
        until = time.monotonic() + seconds
        while True:
            if self._stop():
                raise Stopped("training was stopped")
            results = self._ended(max(0.0, min(_LOOK_SECONDS, until - time.monotonic()))) + self._overdue()
            if results or time.monotonic() >= until:
                return results
            _ = self.slots

    def close(self) -> None:
        """Cancel what runs; the workers notice by themselves, also when this process is killed."""
        self._cluster.cancel(self._under_way)
        self._under_way.clear()
        self._cluster.close()

    def _send(self, inner: Inner) -> Any:
        try:
            return self._cluster.client.scatter(inner, broadcast=True, hash=False)
        except OSError as error:  # all workers went just now, or the scheduler did
            self._cluster.require_scheduler()
            raise Unavailable(f"what the fits learn could not be sent to the Dask workers: {error}") from None

    def _ended(self, seconds: float) -> list[FitResult]:
        try:
            future = self._done.get(timeout=seconds) if seconds else self._done.get_nowait()
        except Empty:
            return []
        task, _ = self._under_way.pop(future, (None, 0.0))
        return [] if task is None else [self._result(future, task)]

    def _result(self, future: Any, task: FitTask) -> FitResult:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        self._cluster.require_scheduler()
        try:
            result: FitResult = future.result(timeout=_GATHER_SECONDS)
        except (KilledWorker, FutureCancelledError, TimeoutError) as error:
            return FitResult(task.key, "lost", error=f"{task.family.name}: its worker was killed ({error})")
        except Exception as error:  # noqa: BLE001 - whatever it was, the search goes on
            self._cluster.require_scheduler()
            return FitResult(task.key, "failed", error=f"{task.family.name}: {type(error).__name__}: {error}")
        return result

    def _overdue(self) -> list[FitResult]:
        now = time.monotonic()
        late = [(future, task) for future, (task, deadline) in self._under_way.items() if now > deadline]
        for future, _ in late:
            del self._under_way[future]
            self._cluster.cancel([future])
        error = "it did not end when its time was up"
        return [FitResult(task.key, "failed", error=f"{task.family.name}: {error}") for _, task in late]


def _fit_there(inner: Inner, task: FitTask) -> FitResult:
    """Runs on a worker; ends within a fraction of a second when the result is no longer wanted."""
    from distributed import get_worker

    worker: Any = get_worker()
    tasks, key = worker.state.tasks, worker.get_current_task()

    def unwanted() -> bool:
        known = tasks.get(key)
        return known is None or known.state == "cancelled"

    return fit(inner, task, threads=1, stop=unwanted)
