"""The process of the web UI."""

import os
import signal
import socket
from pathlib import Path

from perfcast.errors import Conflict
from perfcast.processes import when_owner_ends
from perfcast.settings import Settings
from perfcast.ui._look import options

APP = Path(__file__).with_name("app.py")


def run_ui(settings: Settings, *, attached: bool = False) -> None:
    """Serve the pages until SIGTERM or SIGINT; one that is attached ends also when its standard input does.

    Raises:
        Conflict: The port is in use.
    """
    from streamlit.web import cli

    check_port(settings)
    os.environ |= settings.environment  # what the pages read
    if attached:
        when_owner_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))
    told = [f"--{name}={value}" for name, value in (_serving(settings) | options()).items()]
    cli.main(["run", str(APP), *told], prog_name="perfcast ui", standalone_mode=False)


def check_port(settings: Settings) -> None:
    """Find out whether the pages' port is free, before anything is loaded.

    Raises:
        Conflict: The port is in use, or the address is none of this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.ui_host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.ui_host, settings.ui_port))
        except OSError as error:
            raise Conflict(
                f"the web UI can't listen on {settings.ui_host}:{settings.ui_port} ({error.strerror}); stop what uses "
                "the port (`ss -ltnp` shows it), or choose another with UI_PORT"
            ) from None


def _serving(settings: Settings) -> dict[str, str]:
    return {
        "server.address": settings.ui_host,
        "server.port": str(settings.ui_port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "logger.hideWelcomeMessage": "true",  # `perfcast up` says where the pages are
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "runner.magicEnabled": "false",
    }
