"""Running the API under uvicorn."""

import gc
import os
import socket
import sys
from types import FrameType

import structlog

from perfcast.api._app import create_app
from perfcast.api._services import Services
from perfcast.api.access import make_gate
from perfcast.errors import Conflict
from perfcast.logs import configure_logs
from perfcast.settings import Settings

_BACKLOG = 2048
_SWITCH_SECONDS = 0.0005
_GRACE_SECONDS = 20

log = structlog.stdlib.get_logger("perfcast.api")


def serve(settings: Settings, listener: socket.socket | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests that have begun are answered first.

    Args:
        settings: Address, port and all else.
        listener: What `listen` gave, where the port was taken earlier; taken now when None.

    Raises:
        Conflict: The port is in use.
    """
    import uvicorn

    from perfcast.api._direct import direct_protocol

    configure_logs(settings)
    listener = listener or listen(settings)
    sys.setswitchinterval(_SWITCH_SECONDS)  # a thread that writes records must not hold up answers for 5 ms
    services = Services(settings)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            gc.freeze()  # what is loaded now stays; looking through it again and again only costs time

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            services.draining = True
            super().handle_exit(sig, frame)

    front = create_app(settings, services=services)
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
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    host, port = listener.getsockname()[:2]
    log.info("listening", address=f"http://{host}:{port}", process=os.getpid())
    try:
        Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        log.info("stopped")


def listen(settings: Settings) -> socket.socket:
    """Take the port: bound, but not yet listening, so that a port in use is told before anything is loaded.

    Raises:
        Conflict: The port is in use.
        InvalidSetting: An access rule can't be used.
    """
    make_gate(settings)
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.api_host, settings.api_port))
    except OSError as error:
        listener.close()
        raise Conflict(
            f"can't listen on {settings.api_host}:{settings.api_port} ({error.strerror}); stop what uses the port "
            "(`ss -ltnp` shows it), or choose another with API_PORT or --port"
        ) from None
    return listener
