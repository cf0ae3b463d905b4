"""Fits on the workers of a Dask cluster, one thread each."""

from typing import Any

from perfcast.cluster import Cluster, WorkersLostError, unwanted_here
from perfcast.errors import Unavailable
from perfcast.training.families import Stop, never
from perfcast.training.fits._executor import Elsewhere
from perfcast.training.fits._fitting import FitResult, FitTask, failed, fit
from perfcast.training.fits._inner import Inner

_GATHER_SECONDS = 60


class OnCluster(Elsewhere):
    """Sends fits to the workers, which need no access to the study or the database.

    The lesson is copied to all of them once; what decides a trial travels with it, and its result back.

    Raises:
        Unavailable: There is no scheduler at the address, or it has no worker.
        MissingDependency: `perfcast[cluster]` is not installed.
    """

    def __init__(self, inner: Inner, address: str, *, stop: Stop = never) -> None:
        super().__init__(stop)
        self._inner, self._cluster = inner, Cluster(address)
        self._lesson: Any = None

    @property
    def slots(self) -> int:
        """The threads of all workers together, as many as there are just now."""
        return max(1, self._cluster.threads)

    def submit(self, task: FitTask) -> None:
        """Send the fit to the scheduler."""
        self._cluster.require_scheduler()
        if self._lesson is None or self._lesson.status in ("cancelled", "lost"):
            self._lesson = self._spread()
        self._begun(self._cluster.send(_fit_there, self._lesson, task), task)

    def close(self) -> None:
        """Cancel what runs; the workers notice by themselves, also when this process is killed."""
        self._attempts.clear()
        self._cluster.close()

    def _spread(self) -> Any:
        try:
            return self._cluster.client.scatter(self._inner, broadcast=True, hash=False)
        except OSError as error:  # all workers went just now, or the scheduler did
            self._cluster.require_scheduler()
            raise Unavailable(f"what the fits learn could not be sent to the Dask workers: {error}") from None

    def _ended(self, seconds: float) -> list[FitResult]:
        _ = self._cluster.threads  # which notices when scheduler or workers are gone
        ended = self._cluster.ended(seconds, gather=_GATHER_SECONDS)
        if ended is None:
            return []
        future, result = ended
        if isinstance(result, WorkersLostError):
            return self._lost(future, f"its worker was killed ({result})")
        task = self._attempts.pop(future).task
        return [result if isinstance(result, FitResult) else failed(task, f"{type(result).__name__}: {result}")]

    def _end(self, handle: Any) -> None:
        self._cluster.cancel(handle)


def _fit_there(inner: Inner, task: FitTask) -> FitResult:
    """Runs on a worker; ends within a fraction of a second when the result is no longer wanted."""
    return fit(inner, task, threads=1, stop=unwanted_here())
