"""Where fits run: in this process, in processes of this machine, or on a Dask cluster."""

import time
from abc import abstractmethod
from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Protocol

from perfcast.errors import Stopped
from perfcast.training._clock import LEAST_TRIAL
from perfcast.training.families import Stop, never
from perfcast.training.fits._fitting import FitResult, FitTask, failed, fit
from perfcast.training.fits._inner import Inner

GRACE_SECONDS = 3.0
"""How long after its time a fit that doesn't end by itself is waited for."""
GRACE_SHARE = 0.25
"""Of its time, beside that: on a busy machine even ending takes longer."""
MOST_LOSSES = 3
"""How often a fit whose process is killed is begun before it has failed."""


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

        One whose process is gone is begun again, and has failed after `MOST_LOSSES` times; one that doesn't end in
        time has failed.

        Raises:
            Stopped: It was asked to.
            Unavailable: Where they run can't be reached any more.
        """
        ...

    def close(self) -> None:
        """End all fits that still run, at once."""
        ...


class Here(Executor):
    """One fit after another in this process, on all threads of the lesson.

    Fits are not ended when they don't look at the clock: there is nobody else to do it. `stop` is asked inside them.
    """

    slots = 1

    def __init__(self, inner: Inner, *, stop: Stop = never) -> None:
        self._inner, self._stop = inner, stop
        self._waiting: deque[FitTask] = deque()

    def submit(self, task: FitTask) -> None:
        """Remember the fit; `wait` makes it."""
        self._waiting.append(task)

    def wait(self, seconds: float) -> list[FitResult]:
        """Make the next fit, however long it takes."""
        if not self._waiting:
            time.sleep(seconds)
            return []
        return [fit(self._inner, self._waiting.popleft(), threads=self._inner.lesson.threads, stop=self._stop)]

    def close(self) -> None:
        """Forget what waits."""
        self._waiting.clear()


@dataclass(frozen=True)
class _Attempt:
    """A fit under way, when it began, and when it is given up (`time.monotonic()`)."""

    task: FitTask
    begun: float
    deadline: float


class Elsewhere(Executor):
    """Fits outside this process, each under a handle: given up when it is late, begun again when it is lost."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._attempts: dict[Any, _Attempt] = {}

    def wait(self, seconds: float) -> list[FitResult]:
        """The fits that ended, and those that had to be given up."""
        if self._stop():
            raise Stopped("training was stopped")
        return self._ended(seconds) + self._overdue()

    @abstractmethod
    def _ended(self, seconds: float) -> list[FitResult]:
        """Those that ended; waits for the first one at most so many seconds."""

    @abstractmethod
    def _end(self, handle: Any) -> None:
        """End what runs under a handle."""

    def _begun(self, handle: Any, task: FitTask, *, extra: float = 0.0) -> None:
        """Note that a fit begins, which may take some seconds more than its own."""
        now = time.monotonic()
        self._attempts[handle] = _Attempt(task, now, now + task.seconds * (1 + GRACE_SHARE) + GRACE_SECONDS + extra)

    def _lost(self, handle: Any, why: str) -> list[FitResult]:
        """Begin a fit again for the time it has left, unless its process was killed too often."""
        attempt = self._attempts.pop(handle)
        task = replace(attempt.task, losses=attempt.task.losses + 1)
        if task.losses == MOST_LOSSES:
            return [failed(task, f"{why}, {MOST_LOSSES} times")]
        self.submit(replace(task, seconds=max(LEAST_TRIAL, task.seconds - (time.monotonic() - attempt.begun))))
        return []

    def _overdue(self) -> list[FitResult]:
        now = time.monotonic()
        late = [handle for handle, attempt in self._attempts.items() if now > attempt.deadline]
        for handle in late:
            self._end(handle)
        return [failed(self._attempts.pop(handle).task, "it did not end when its time was up") for handle in late]
