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
from functools import partial
from types import FrameType

from perfcast.processes import KeptProcess
from perfcast.settings import Settings

_LOOK_SECONDS = 0.1
_LONGEST_END_SECONDS = 30.0
"""Time that a process may take to end after its drain; it gives its last requests 20 s itself."""


def _begin(command: list[str], environment: dict[str, str], listener: socket.socket) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own module
        command,
        env=environment,
        pass_fds=[listener.fileno()],
        process_group=0,  # Ctrl-C reaches the supervisor, which tells the processes
    )


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
    slots = [
        KeptProcess("serving process", partial(_begin, [*module, str(slot)], environment, listener))
        for slot in range(settings.api_processes)
    ]
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
