"""A process that fits: `python -m perfcast.training.fits._process PIPE LESSON`; begun by `InProcesses`."""

import os
import pickle
import sys
import time
from dataclasses import replace
from mmap import ACCESS_READ, mmap
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import Any

from perfcast.training._clock import LEAST_TRIAL
from perfcast.training.fits._fitting import FitTask, fit
from perfcast.training.fits._inner import Inner


def main(descriptor: int, lesson: int) -> None:
    """Make the fits that come through the pipe, until it closes; the lesson is in a file that several share."""
    pipe: Connection[Any, Any] = Connection(descriptor)
    tasks: SimpleQueue[tuple[FitTask, float]] = SimpleQueue()
    with mmap(lesson, 0, access=ACCESS_READ) as shared:
        inner: Inner = pickle.loads(shared)  # noqa: S301 - written by our parent
    Thread(target=_listen, args=(pipe, tasks), daemon=True).start()
    while True:
        task, sent = tasks.get()
        spent = time.monotonic() - sent  # the same clock in all processes of a machine
        pipe.send(fit(inner, replace(task, seconds=max(LEAST_TRIAL, task.seconds - spent)), threads=1))


def _listen(pipe: "Connection[Any, Any]", tasks: "SimpleQueue[tuple[FitTask, float]]") -> None:
    """Take in tasks; when the other end is closed or its process killed, end at once, also within a fit."""
    while True:
        try:
            tasks.put(pipe.recv())
        except (EOFError, OSError):
            os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
