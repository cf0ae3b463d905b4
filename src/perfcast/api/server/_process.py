"""One serving process: uvicorn, with an orderly end and an eye on connections that stand still."""

import gc
import os
import signal
import socket
import sys
import time
import warnings
from types import FrameType

import structlog
import uvicorn
from pydantic.warnings import UnsupportedFieldAttributeWarning

from perfcast.api._services import Services
from perfcast.api.server._bounds import Watch
from perfcast.settings import Settings
from perfcast.telemetry import Exporting, MetricsPush, RequestTraces, exporting

_BACKLOG = 2048
_KEEP_ALIVE_SECONDS = 75
"""Longer than load balancers keep an idle connection (60 s, mostly), so that it is theirs to close."""
_SWITCH_SECONDS = 0.0005
_GRACE_SECONDS = 20
"""How long requests that have begun may take when the process is to end."""
_TICKS_A_SECOND = 10

log = structlog.stdlib.get_logger("perfcast.api")


class Server(uvicorn.Server):
    """uvicorn's server, which drains before it ends.

    Told to end, it says so at once (`/readyz`, and `Connection: close` on every answer), serves on for
    `DRAIN_SECONDS`, and then takes nothing new and finishes what was begun. Told twice, it waits no longer.
    """

    def __init__(self, config: uvicorn.Config, services: Services, push: MetricsPush | None = None) -> None:
        super().__init__(config)
        self._push = push
        self._services = services
        self._shared = services.exposition.shared
        self._parent = os.getppid()
        self._leave_at = float("inf")
        tally = services.tally
        seconds = services.settings.request_timeout_seconds
        self._watch = Watch(seconds, lambda: tally.request("unmatched", "other", 408, seconds))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        gc.freeze()  # what is loaded now stays; looking through it again and again only costs time

    async def on_tick(self, counter: int) -> bool:
        """What is done ten times a second; gives whether to end."""
        ended = await super().on_tick(counter)
        if counter % _TICKS_A_SECOND == 0:
            self._watch.look(self.server_state.connections)
            if self._push is not None:
                self._push.look()
            if self._shared is not None:
                self._shared.write()
                if os.getppid() != self._parent:
                    self._drain(0.0)  # whoever supervised this process is gone
        return ended or time.monotonic() >= self._leave_at

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Take SIGTERM or SIGINT."""
        if self._services.lifetime.draining:
            self._leave_at = 0.0
            self.force_exit = self.should_exit and sig == signal.SIGINT
            self.should_exit = True
        else:
            self._drain(self._services.settings.drain_seconds if sig == signal.SIGTERM else 0.0)

    def _drain(self, seconds: float) -> None:
        self._services.lifetime.draining = True
        self._leave_at = min(self._leave_at, time.monotonic() + seconds)
        closing = (b"connection", b"close")
        self.config.encoded_headers = [*self.config.encoded_headers, closing]
        self.server_state.default_headers = [*self.server_state.default_headers, closing]


def serve_here(settings: Settings, listener: socket.socket, shared_folder: str = "", slot: int = 0) -> None:
    """Serve in this process until SIGINT or SIGTERM.

    Args:
        settings: All but address and port.
        listener: Bound.
        shared_folder: Where processes on one port keep their counts; empty where this is the only one.
        slot: Which of them this one is.
    """
    with exporting(settings, "perfcast-api") as exported:
        _serve_here(settings, listener, shared_folder, slot, exported)


def _serve_here(
    settings: Settings, listener: socket.socket, shared_folder: str, slot: int, exported: Exporting | None
) -> None:
    sys.setswitchinterval(_SWITCH_SECONDS)  # a thread that writes records must not hold up answers for 5 ms
    services = Services(settings)
    host, port = listener.getsockname()[:2]
    log.info("listening", address=f"http://{host}:{port}", process=os.getpid())
    # FastAPI hides these as well, but whichever thread leaves `warnings.catch_warnings` last undoes that of the other
    warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
    services.open_early()  # graphs are read and warmed while FastAPI is imported
    from perfcast.api._app import create_app
    from perfcast.api.server._direct import direct_protocol

    if shared_folder:
        services.exposition.share(shared_folder, slot)
    push = _metrics_push(services, exported, slot)
    front = create_app(settings, services=services, traces=RequestTraces(exported) if exported is not None else None)
    config = uvicorn.Config(
        front,
        loop="uvloop",
        http=direct_protocol(front.at_once),
        ws="none",  # no route takes them, and the gate asks for HTTP only
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies.strip()),
        forwarded_allow_ips=settings.trusted_proxies,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    Server(config, services, push).run(sockets=[listener])
    if push is not None:
        push.close()
    if services.exposition.shared is not None:
        services.exposition.shared.write()
    log.info("stopped", process=os.getpid())


def _metrics_push(services: Services, exported: Exporting | None, slot: int) -> MetricsPush | None:
    """What pushes the counts; of several processes on one port the first pushes those of all."""
    if exported is None or exported.metrics is None or slot:
        return None
    import psutil

    port = os.getpid() if services.exposition.shared is None else os.getppid()
    return MetricsPush(exported, services.exposition.collect, since=psutil.Process(port).create_time())
