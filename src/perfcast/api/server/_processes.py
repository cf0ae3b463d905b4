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
from collections.abc import Sequence
from functools import partial

from perfcast.logs import configure_logs
from perfcast.processes import KeptProcess
from perfcast.settings import Settings, load_settings

_LOOK_SECONDS = 0.1
_LONGEST_END_SECONDS = 30.0
"""Time that a process may take to end after its drain; it gives its last requests 20 s itself."""


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
    begin = partial(_begin, environment, listener, folder)
    places = [KeptProcess("serving process", partial(begin, slot)) for slot in range(settings.api_processes)]
    told: list[int] = []
    before = {sig: signal.signal(sig, lambda sig, _: told.append(sig)) for sig in (signal.SIGTERM, signal.SIGINT)}
    try:
        for place in places:
            place.start()
        while not told:
            time.sleep(_LOOK_SECONDS)
            for place in places:
                place.look()
    finally:
        _end(places, told or [signal.SIGTERM], time.monotonic() + settings.drain_seconds + _LONGEST_END_SECONDS)
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


def _end(places: Sequence[KeptProcess], told: list[int], deadline: float) -> None:
    """Pass on what was told, and what is told meanwhile, until all have ended; kill those that take too long."""
    while any(place.lives for place in places) and time.monotonic() < deadline:
        while told:
            sig = told.pop(0)
            for place in places:
                place.tell(sig)
        time.sleep(_LOOK_SECONDS)
    for place in places:
        place.end(deadline)


def _serve(listener: str, folder: str, slot: str) -> None:
    """Be one of the processes, on a socket that was passed on."""
    from perfcast.api.server._process import serve_here

    settings = load_settings()
    configure_logs(settings)
    serve_here(settings, socket.socket(fileno=int(listener)), folder, int(slot))


if __name__ == "__main__":
    _serve(*sys.argv[1:])
