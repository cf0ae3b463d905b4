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

from perfcast.settings import environment_without_secrets
from perfcast.training.families import Stop, never
from perfcast.training.fits._executor import Elsewhere
from perfcast.training.fits._fitting import FitResult, FitTask
from perfcast.training.fits._inner import Inner

STARTING_SECONDS = 12.0
"""What a process's first fit may take longer on a busy machine, because libraries are being imported."""
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1")


@dataclass(eq=False)
class _Process:
    popen: "subprocess.Popen[bytes]"
    pipe: "Connection[Any, Any]"
    warm: bool = False


class InProcesses(Elsewhere):
    """Begins processes when they are needed; each ends with this one, also when it is killed."""

    slots = 0

    def __init__(self, inner: Inner, *, processes: int, stop: Stop = never) -> None:
        super().__init__(stop)
        self.slots = processes
        self._processes: list[_Process] = []
        self._waiting: deque[FitTask] = deque()
        self._lesson = TemporaryFile()  # noqa: SIM115 - closed by `close`
        pickle.dump(inner, self._lesson, protocol=5)
        self._lesson.flush()

    def submit(self, task: FitTask) -> None:
        """Give the fit to a free process; it waits while there is none."""
        self._waiting.append(task)
        self._distribute()

    def close(self) -> None:
        """Kill the processes."""
        self._waiting.clear()
        while self._processes:
            self._end(self._processes[0])
        self._lesson.close()

    def _distribute(self) -> None:
        while self._waiting:
            free = next((process for process in self._processes if process not in self._attempts), None)
            if free is None and len(self._processes) == self.slots:
                return
            process, task = free or self._start(), self._waiting.popleft()
            self._begun(process, task, extra=0.0 if process.warm else STARTING_SECONDS)
            process.warm = True
            with suppress(OSError):  # one that is gone is noticed when its result is waited for
                process.pipe.send((task, time.monotonic()))

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
        self._processes.append(_Process(popen, ours))
        return self._processes[-1]

    def _ended(self, seconds: float) -> list[FitResult]:
        self._distribute()
        pipes = {process.pipe: process for process in self._attempts}
        return [result for pipe in wait(list(pipes), seconds) for result in self._received(pipes[pipe])]

    def _received(self, process: _Process) -> list[FitResult]:
        try:
            result: FitResult = process.pipe.recv()
        except (EOFError, OSError):
            self._end(process)
            return self._lost(process, "its process was killed")
        del self._attempts[process]
        return [result]

    def _end(self, handle: _Process) -> None:
        handle.popen.kill()
        handle.popen.wait()
        handle.pipe.close()
        self._processes.remove(handle)
