"""Taking the port, and serving on it with one process or several."""

import socket

from perfcast.api.access import make_gate
from perfcast.errors import Conflict
from perfcast.logs import configure_logs
from perfcast.settings import Settings


def serve(settings: Settings, listener: socket.socket | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests that have begun are answered first.

    Args:
        settings: Address, port and all else.
        listener: What `listen` gave, where the port was taken earlier; taken now when None.

    Raises:
        Conflict: The port is in use.
    """
    configure_logs(settings)
    listener = listener or listen(settings)
    if settings.api_processes > 1:
        from perfcast.api.server._processes import supervise

        supervise(settings, listener)
    else:
        from perfcast.api.server._process import serve_here

        serve_here(settings, listener)


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
