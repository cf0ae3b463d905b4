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
from types import FrameType

import structlog

from perfcast.settings import Settings

_LOOK_SECONDS = 0.1
_SOUND_SECONDS = 5.0
"""A process that lived for so long is replaced at once."""
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0
_LONGEST_END_SECONDS = 30.0
"""Time that a process may take to end after its drain; it gives its last requests 20 s itself."""

log = structlog.stdlib.get_logger("perfcast.api")


class Slot:
    """The place of one serving process, whoever fills it.

    Args:
        command: Begins the process.
        environment: Its environment variables.
        listener: Passed on to it.
    """

    def __init__(self, command: list[str], environment: dict[str, str], listener: socket.socket) -> None:
        self._command, self._environment, self._listener = command, environment, listener
        self._wait = 0.0
        self._begun = self._ended = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self._told: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Fill the place."""
        self._begun = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            self._command,
            env=self._environment,
            pass_fds=[self._listener.fileno()],
            process_group=0,  # Ctrl-C reaches the supervisor, which tells the processes
        )

    def look(self) -> None:
        """Replace a process that has died: at once, or ever later if it dies again and again."""
        if self.process is not None:
            status = self.process.poll()
            if status is None:
                return
            self._ended = time.monotonic()
            sound = self._ended - self._begun >= _SOUND_SECONDS
            longer = max(_FIRST_WAIT_SECONDS, min(_LONGEST_WAIT_SECONDS, self._wait * 2))
            self._wait = 0.0 if sound else longer
            ended = self.process.pid
            log.error("serving process ended", process=ended, status=status, again_in_seconds=self._wait)
            self.process = None
        if time.monotonic() - self._ended >= self._wait:
            self.start()

    def tell(self, sig: int) -> None:
        """Pass a signal on."""
        self._told = self.process
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(sig)

    def tell_if_new(self, sig: int) -> None:
        """Pass a signal on to a process that was begun in the very moment in which the others were told."""
        if self.process is not self._told:
            self.tell(sig)

    def end(self, deadline: float) -> None:
        """Wait for its end, which it has been told of; kill it when that takes too long."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("serving process killed: it did not end in time", process=self.process.pid)
            self.process.kill()
            self.process.wait()


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
    number = str(listener.fileno())
    module = [sys.executable, "-m", "perfcast.api.server._member", number, folder]
    slots = [Slot([*module, str(slot)], environment, listener) for slot in range(settings.api_processes)]
    told: list[int] = []

    def tell(sig: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what signal calls
        told.append(sig)
        for slot in slots:
            slot.tell(sig)

    before = {sig: signal.signal(sig, tell) for sig in (signal.SIGTERM, signal.SIGINT)}
    try:
        for slot in slots:
            slot.start()
        while not told:
            time.sleep(_LOOK_SECONDS)
            for slot in slots:
                if not told:
                    slot.look()
        for slot in slots:
            slot.tell_if_new(told[0])
    finally:
        deadline = time.monotonic() + settings.drain_seconds + _LONGEST_END_SECONDS
        for slot in slots:
            slot.end(deadline)
        for sig, handler in before.items():
            signal.signal(sig, handler)
        shutil.rmtree(folder, ignore_errors=True)
        listener.close()
