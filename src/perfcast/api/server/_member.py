"""One of several serving processes: `python -m perfcast.api.server._member LISTENER FOLDER SLOT`."""

import socket
import sys

from perfcast.api.server._process import serve_here
from perfcast.logs import configure_logs
from perfcast.settings import load_settings


def main(listener: str, folder: str, slot: str) -> None:
    """Serve on a socket that was passed on."""
    settings = load_settings()
    configure_logs(settings)
    serve_here(settings, socket.socket(fileno=int(listener)), folder, int(slot))


if __name__ == "__main__":
    main(*sys.argv[1:4])
