"""A worker that belongs to another process, such as `perfcast up`: replaced when it dies, ended with its owner."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread

import structlog

from perfcast.settings import Settings

_DRAIN_SECONDS = 15.0
_SETTLED_SECONDS = 60.0
"""A worker that lived so long didn't die of what the one before it died of."""

log = structlog.stdlib.get_logger("perfcast.jobs")


class AttachedWorker:
    """A worker process, and a thread that begins another when it ends before `end`.

    Args:
        settings: Given to it as environment variables.
        pause: Seconds until the first other one begins; doubles with each that follows soon.
        longest_pause: Most seconds.
    """

    def __init__(self, settings: Settings, *, pause: float, longest_pause: float) -> None:
        self._settings, self._pause, self._longest_pause = settings, pause, longest_pause
        self._ending = Event()
        self._starting = Lock()
        self._process = _start(settings)
        self._watcher = Thread(target=self._watch, name="perfcast-worker-watch", daemon=True)
        self._watcher.start()

    @property
    def pid(self) -> int:
        """Process id of the present one, or of the last where it is being replaced."""
        return self._process.pid

    def end(self) -> None:
        """Drain it, and begin no other."""
        with self._starting:
            self._ending.set()
        with suppress(ProcessLookupError):
            self._process.terminate()
        self._watcher.join(_DRAIN_SECONDS)
        if self._watcher.is_alive():
            self._process.kill()
            self._watcher.join()

    def _watch(self) -> None:
        pause = self._pause
        while True:
            begun = time.monotonic()
            status = self._process.wait()
            if time.monotonic() - begun > _SETTLED_SECONDS:
                pause = self._pause
            if self._ending.is_set():
                return
            log.error("the worker ended; another is begun", status=status, pause_seconds=pause)
            if self._ending.wait(pause):
                return
            self._replace()
            pause = min(2 * pause, self._longest_pause)

    def _replace(self) -> None:
        with self._starting:
            if self._ending.is_set():
                return
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process = _start(self._settings)
            except OSError as error:  # no memory or too many processes; `_watch` comes here again after a longer pause
                log.warning("no worker could be begun", reason=str(error))


def _start(settings: Settings) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "perfcast", "worker", "--attached"],
        stdin=subprocess.PIPE,
        env=settings.child_environment,
        start_new_session=True,  # Ctrl-C reaches this process, which then ends the worker in its own time
    )


@contextmanager
def attached_worker(settings: Settings, *, pause: float = 1.0, longest_pause: float = 60.0) -> Iterator[AttachedWorker]:
    """A worker as a child of this process, drained at the end and also when this process is killed.

    Args:
        settings: Given to it as environment variables.
        pause: See `AttachedWorker`.
        longest_pause: See `AttachedWorker`.
    """
    worker = AttachedWorker(settings, pause=pause, longest_pause=longest_pause)
    try:
        yield worker
    finally:
        worker.end()
