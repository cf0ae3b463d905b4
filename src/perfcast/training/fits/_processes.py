"""Fits in processes of this machine, one thread each."""

import os
import pickle
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from tempfile import TemporaryFile
from typing import Any

from perfcast.errors import Stopped
from perfcast.settings import environment_without_secrets
from perfcast.training.families import Stop, never
from perfcast.training.fits._executor import patience
from perfcast.training.fits._fitting import FitResult, FitTask
from perfcast.training.fits._inner import Inner

LOOK_SECONDS = 0.1
"""How often `stop` is asked."""
STARTING_SECONDS = 12.0
"""What a process's first fit may take longer on a busy machine, because libraries are being imported."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")


@dataclass
class _Process:
    """One of them, and what it does."""

    popen: "subprocess.Popen[bytes]"
    pipe: "Connection[Any, Any]"
    task: FitTask | None = None
    deadline: float = float("inf")
    warm: bool = False

    def begin(self, task: FitTask) -> None:
        now = time.monotonic()
        starting = 0.0 if self.warm else STARTING_SECONDS
        self.task, self.deadline, self.warm = task, now + patience(task) + starting, True
        with suppress(OSError):  # one that is gone is noticed when its result is waited for
            self.pipe.send((task, now))

    def end(self) -> None:
        self.popen.kill()
        self.popen.wait()
        self.pipe.close()


class InProcesses:
    """Begins processes when they are needed; each ends with this one, also when it is killed.

    Args:
        inner: What the fits learn; sent to each process once.
        processes: Most at a time.
        stop: Asked while waiting.
    """

    def __init__(self, inner: Inner, *, processes: int, stop: Stop = never) -> None:
        self.slots = processes
        self._stop = stop
        self._processes: list[_Process] = []
        self._waiting: deque[FitTask] = deque()
        self._lesson = TemporaryFile()  # noqa: SIM115 - closed by `close`
        pickle.dump(inner, self._lesson, protocol=5)
        self._lesson.flush()

    def submit(self, task: FitTask) -> None:
        """Give the fit to a free process; it waits while there is none."""
        self._waiting.append(task)
        self._distribute()

    def wait(self, seconds: float) -> list[FitResult]:
        """The fits that ended, and those that had to be ended."""
        until = time.monotonic() + seconds
        while True:
            if self._stop():
                raise Stopped("training was stopped")
            left = max(0.0, min(LOOK_SECONDS, until - time.monotonic()))
            results = self._ended(left) + self._overdue()
            self._distribute()
            if results or time.monotonic() >= until:
                return results

    def close(self) -> None:
        """Kill the processes."""
        self._waiting.clear()
        while self._processes:
            self._processes.pop().end()
        self._lesson.close()

    def _distribute(self) -> None:
        while self._waiting:
            free = next((process for process in self._processes if process.task is None), None)
            if free is None and len(self._processes) == self.slots:
                return
            (free or self._start()).begin(self._waiting.popleft())

    def _start(self) -> _Process:
        ours, theirs = Pipe()
        paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment = environment_without_secrets() | _ONE_THREAD | paths
        given = (theirs.fileno(), self._lesson.fileno())
        command = [sys.executable, "-m", "perfcast.training.fits._process", *map(str, given)]
        popen = subprocess.Popen(  # noqa: S603 - our own command
            command, pass_fds=given, env=environment, stdin=subprocess.DEVNULL, stdout=2
        )
        theirs.close()
        process = _Process(popen, ours)
        self._processes.append(process)
        return process

    def _ended(self, seconds: float) -> list[FitResult]:
        busy = {process.pipe: process for process in self._processes if process.task is not None}
        if not busy:
            time.sleep(seconds)
            return []
        return [self._result(busy[pipe]) for pipe in wait(list(busy), seconds)]  # type: ignore[index]

    def _result(self, process: _Process) -> FitResult:
        assert process.task is not None
        try:
            result: FitResult = process.pipe.recv()
        except (EOFError, OSError):
            return self._given_up(process, "lost", "its process was killed")
        process.task, process.deadline = None, float("inf")
        return result

    def _overdue(self) -> list[FitResult]:
        now = time.monotonic()
        late = [process for process in self._processes if process.task is not None and now > process.deadline]
        return [self._given_up(process, "failed", "it did not end when its time was up") for process in late]

    def _given_up(self, process: _Process, state: Any, error: str) -> FitResult:
        assert process.task is not None
        process.end()
        self._processes.remove(process)
        return FitResult(process.task.key, state, error=f"{process.task.family.name}: {error}")
