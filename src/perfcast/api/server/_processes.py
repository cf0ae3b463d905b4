"""Several serving processes on one port, and the one that looks after them.

The listening socket is made once and shared: a connection that waits to be accepted belongs to none of the processes,
so when one ends another takes it. A process that dies is replaced; the supervisor itself serves nothing.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from perfcast.logs import configure_logs
from perfcast.settings import Settings, load_settings

_LOOK_SECONDS = 0.1
_SOUND_SECONDS = 5.0
"""A process that lived for so long is replaced at once."""
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0
_LONGEST_END_SECONDS = 30.0
"""Time that a process may take to end after its drain; it gives its last requests 20 s itself."""

log = structlog.stdlib.get_logger("perfcast.api")


class Slot:
    """The place of one serving process, whoever fills it."""

    def __init__(self, begin: Callable[[], "subprocess.Popen[bytes]"]) -> None:
        self._begin = begin
        self._wait = self._ended = 0.0
        self._begun = time.monotonic()
        self.process: subprocess.Popen[bytes] | None = begin()

    def look(self) -> None:
        """Replace a process that has died: at once, or ever later if it dies again and again."""
        if self.process is not None:
            status = self.process.poll()
            if status is None:
                return
            self._ended = time.monotonic()
            sound = self._ended - self._begun >= _SOUND_SECONDS
            self._wait = 0.0 if sound else max(_FIRST_WAIT_SECONDS, min(_LONGEST_WAIT_SECONDS, self._wait * 2))
            ended, self.process = self.process.pid, None
            log.error("serving process ended", process=ended, status=status, again_in_seconds=self._wait)
        if time.monotonic() - self._ended >= self._wait:
            self._begun, self.process = time.monotonic(), self._begin()


def supervise(settings: Settings, listener: socket.socket) -> None:
    """Keep `API_PROCESSES` processes serving until SIGTERM or SIGINT; all are drained then.

    Args:
        settings: Given to them as environment variables.
        listener: Bound.
    """
    listener.listen(2048)
    folder = tempfile.mkdtemp(prefix="perfcast-serving-")
    # `environment` leaves keys out; a serving process without them would let everybody in
    environment = os.environ | settings.environment | {"API_KEY": settings.api_key.get_secret_value()}
    slots: list[Slot] = []
    told: list[int] = []
    before = {sig: signal.signal(sig, lambda sig, _: told.append(sig)) for sig in (signal.SIGTERM, signal.SIGINT)}
    try:
        numbers = range(settings.api_processes)
        slots.extend(Slot(partial(_begin, environment, listener, folder, number)) for number in numbers)
        while not told:
            time.sleep(_LOOK_SECONDS)
            for slot in slots:
                slot.look()
    finally:
        _end(slots, told or [signal.SIGTERM], settings.drain_seconds + _LONGEST_END_SECONDS)
        for sig, handler in before.items():
            signal.signal(sig, handler)
        shutil.rmtree(folder, ignore_errors=True)
        listener.close()


def _begin(environment: dict[str, str], listener: socket.socket, folder: str, slot: int) -> "subprocess.Popen[bytes]":
    number = listener.fileno()
    return subprocess.Popen(  # noqa: S603 - this very module
        [sys.executable, "-m", "perfcast.api.server._processes", str(number), folder, str(slot)],
        env=environment,
        pass_fds=[number],
        process_group=0,  # Ctrl-C reaches the supervisor, which tells the processes
    )


def _end(slots: Sequence[Slot], told: list[int], seconds: float) -> None:
    """Pass on what was told, and what is told meanwhile, until all have ended; kill those that take too long."""
    deadline = time.monotonic() + seconds
    while running := [slot.process for slot in slots if slot.process is not None and slot.process.poll() is None]:
        while told:
            sig = told.pop(0)
            for process in running:
                process.send_signal(sig)
        if time.monotonic() >= deadline:
            for process in running:
                log.error("serving process killed: it did not end in time", process=process.pid)
                process.kill()
                process.wait()
        time.sleep(_LOOK_SECONDS)


def _serve(listener: str, folder: str, slot: str) -> None:
    """Be one of the processes, on a socket that was passed on."""
    from perfcast.api.server._process import serve_here

    settings = load_settings()
    configure_logs(settings)
    serve_here(settings, socket.socket(fileno=int(listener)), folder, int(slot))


if __name__ == "__main__":
    _serve(*sys.argv[1:])
