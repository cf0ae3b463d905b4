"""What a training process and its supervisor say to each other: JSON lines over its standard output and input."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import IO, Any

import msgspec

REQUEST_ID = "PERFCAST_REQUEST_ID"
"""Environment variable of a training process: the id of the request that submitted its job."""
TRACE_PARENT = "TRACEPARENT"
"""And the W3C `traceparent` of what is traced around it."""
STOP = b"stop\n"
"""What asks the process to end soon."""


class Channel:
    """The training process's end; calls `on_orphaned` when the supervisor is gone.

    Standard output belongs to the messages alone; what libraries print goes to standard error. `asked` is set once the
    process is asked to end, by the supervisor or from within.
    """

    def __init__(self, on_orphaned: Callable[[], None]) -> None:
        self._out = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self._lock = Lock()
        self.asked = Event()
        self._on_orphaned = on_orphaned
        Thread(target=self._listen, name="perfcast-channel", daemon=True).start()

    def send(self, kind: str, **content: Any) -> None:
        """Say something."""
        with self._lock, suppress(BrokenPipeError):
            self._out.write(msgspec.json.encode({"kind": kind, **content}) + b"\n")

    def _listen(self) -> None:
        descriptor = sys.stdin.fileno()
        while True:
            given = os.read(descriptor, 4096)
            if not given:
                self._on_orphaned()
                return
            if STOP.strip() in given:
                self.asked.set()


def read_messages(stream: IO[bytes]) -> Iterator[Mapping[str, Any]]:
    """The supervisor's end: every message until the process closes its output; what is no message is left out."""
    for line in stream:
        with suppress(msgspec.DecodeError):
            yield msgspec.json.decode(line)


def die_with_parent() -> None:
    """Have this process killed when the one that began it is gone, also while it is deep in a library (Linux)."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    set_death_signal = 1  # PR_SET_PDEATHSIG, see prctl(2)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(set_death_signal, signal.SIGKILL, 0, 0, 0)


def kill_own_group() -> None:
    """End this process and all that it began."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
