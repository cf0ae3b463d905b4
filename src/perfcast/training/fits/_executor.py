"""Where fits run: in this process, in processes of this machine, or on a Dask cluster."""

import time
from collections import deque
from typing import Protocol, Self

from perfcast.training.families import Stop, never
from perfcast.training.fits._fitting import FitResult, FitTask, fit
from perfcast.training.fits._inner import Inner

GRACE_SECONDS = 3.0
"""How long after its time a fit that doesn't end by itself is waited for."""
GRACE_SHARE = 0.25
"""Of its time, beside that: on a busy machine even ending takes longer."""


def patience(task: FitTask) -> float:
    """Seconds after which a fit is given up."""
    return task.seconds * (1 + GRACE_SHARE) + GRACE_SECONDS


class Executor(Protocol):
    """Runs fits somewhere. Not for use from several threads."""

    @property
    def slots(self) -> int:
        """How many fits run at a time; may change."""
        ...

    def submit(self, task: FitTask) -> None:
        """Begin a fit, soon.

        Raises:
            Unavailable: Where it should run can't be reached.
        """
        ...

    def wait(self, seconds: float) -> list[FitResult]:
        """The fits that ended since the last call; waits for the first one at most so many seconds.

        A fit whose process is gone is `lost`; one that doesn't end `patience` after it began has `failed`.

        Raises:
            Stopped: It was asked to.
            Unavailable: Where they run can't be reached any more.
        """
        ...

    def close(self) -> None:
        """End all fits that still run, at once."""
        ...


class Here:
    """One fit after another in this process.

    Its fits are not ended when they don't look at the clock: there is nobody else to do it.

    Args:
        inner: What the fits learn.
        threads: For each.
        stop: Asked inside the fits.
    """

    slots = 1

    def __init__(self, inner: Inner, *, threads: int = 1, stop: Stop = never) -> None:
        self._inner, self._threads, self._stop = inner, threads, stop
        self._waiting: deque[FitTask] = deque()

    def submit(self, task: FitTask) -> None:
        """Remember the fit; `wait` makes it."""
        self._waiting.append(task)

    def wait(self, seconds: float) -> list[FitResult]:
        """Make the next fit, however long it takes."""
        if not self._waiting:
            time.sleep(seconds)
            return []
        return [fit(self._inner, self._waiting.popleft(), threads=self._threads, stop=self._stop)]

    def close(self) -> None:
        """Forget what waits."""
        self._waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
