"""Processes that this one keeps alive: when one dies another takes its place; they end when this one does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread

import structlog

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 30.0
_LOOK_SECONDS = 0.1
_DRAIN_SECONDS = 15.0
_SOUND_SECONDS = 60.0
"""An attached process that lived so long didn't die of what the one before it died of."""

log = structlog.stdlib.get_logger("perfcast")


class KeptProcess:
    """The place of one process, whoever fills it.

    Args:
        name: What it is, for the log.
        begin: Begins one.
        sound_seconds: One that lived for so long is replaced at once; others ever later if they die again and again.
    """

    def __init__(
        self, name: str, begin: "Callable[[], subprocess.Popen[bytes]]", *, sound_seconds: float = 5.0
    ) -> None:
        self._name, self._begin, self._sound_seconds = name, begin, sound_seconds
        self._wait = self._begun = self._next = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Fill the place."""
        self._begun = time.monotonic()
        self.process = self._begin()

    def look(self) -> None:
        """Replace a process that has died, when it is time to."""
        if self.process is not None:
            status, ended = self.process.poll(), self.process.pid
            if status is None:
                return
            sound = time.monotonic() - self._begun >= self._sound_seconds
            self._put_off(f"{self._name} ended", sound=sound, process=ended, status=status)
            self.process = None
        if time.monotonic() >= self._next:
            try:
                self.start()
            except OSError as error:  # no memory or too many processes
                self._put_off(f"no {self._name} could be begun", sound=False, reason=str(error))

    def _put_off(self, event: str, *, sound: bool, **about: object) -> None:
        longer = max(FIRST_WAIT_SECONDS, min(LONGEST_WAIT_SECONDS, self._wait * 2))
        self._wait = 0.0 if sound else longer
        self._next = time.monotonic() + self._wait
        log.error(event, **about, again_in_seconds=self._wait)

    @property
    def lives(self) -> bool:
        """Whether some process fills it."""
        return self.process is not None and self.process.poll() is None

    def tell(self, sig: int) -> None:
        """Pass a signal on."""
        if self.process is not None and self.lives:
            self.process.send_signal(sig)

    def end(self, deadline: float) -> None:
        """Wait for its end, which it has been told of; kill it when that takes too long.

        Args:
            deadline: Of `time.monotonic()`.
        """
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("a process was killed: it did not end in time", which=self._name, process=self.process.pid)
            self.process.kill()
            self.process.wait()


@contextmanager
def attached(command: str, environment: Mapping[str, str]) -> Iterator[KeptProcess]:
    """A command of Perfcast's as a child of this process: replaced when it dies, drained at the end.

    Args:
        command: Such as `worker`; it takes `--attached`, and then ends with its owner, also when that is killed
            (`when_owner_ends`).
        environment: Of its process.
    """

    def begin() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - this interpreter, with a word of ours
            [sys.executable, "-m", "perfcast", command, "--attached"],
            stdin=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches this process, which then ends its child in its own time
        )

    child, ending = KeptProcess(f"attached {command}", begin, sound_seconds=_SOUND_SECONDS), Event()

    def watch() -> None:
        while not ending.wait(_LOOK_SECONDS):
            child.look()

    child.start()
    watcher = Thread(target=watch, name=f"perfcast-{command}-watch", daemon=True)
    watcher.start()
    try:
        yield child
    finally:
        ending.set()
        watcher.join()
        child.tell(signal.SIGTERM)
        child.end(time.monotonic() + _DRAIN_SECONDS)


def when_owner_ends(act: Callable[[], object]) -> None:
    """Act when standard input ends, as it does when the process that attached this one dies."""

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        act()

    Thread(target=wait, name="perfcast-attached", daemon=True).start()
