"""A worker that belongs to another process, such as `perfcast up`: replaced when it dies, ended with its owner."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from perfcast.processes import KeptProcess
from perfcast.settings import Settings

_LOOK_SECONDS = 0.1
_DRAIN_SECONDS = 15.0
_SOUND_SECONDS = 60.0
"""A worker that lived so long didn't die of what the one before it died of."""


@contextmanager
def attached_worker(settings: Settings) -> Iterator[KeptProcess]:
    """A worker as a child of this process, drained at the end and also when this process is killed."""

    def begin() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", "perfcast", "worker", "--attached"],
            stdin=subprocess.PIPE,
            env=settings.child_environment,
            start_new_session=True,  # Ctrl-C reaches this process, which then ends the worker in its own time
        )

    worker, ending = KeptProcess("attached worker", begin, sound_seconds=_SOUND_SECONDS), Event()

    def watch() -> None:
        while not ending.wait(_LOOK_SECONDS):
            worker.look()

    worker.start()
    watcher = Thread(target=watch, name="perfcast-worker-watch", daemon=True)
    watcher.start()
    try:
        yield worker
    finally:
        ending.set()
        watcher.join()
        worker.tell(signal.SIGTERM)
        worker.end(time.monotonic() + _DRAIN_SECONDS)
