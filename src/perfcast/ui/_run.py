"""The process of the web UI."""

import os
import signal
from pathlib import Path

from perfcast.processes import when_owner_ends
from perfcast.settings import Settings
from perfcast.ui._look import options

APP = Path(__file__).with_name("app.py")


def run_ui(settings: Settings, *, attached: bool = False) -> None:
    """Serve the pages until SIGTERM or SIGINT; one that is attached ends also when its standard input does."""
    from streamlit.web import cli

    os.environ |= settings.environment  # what the pages read
    if attached:
        when_owner_ends(lambda: os.kill(os.getpid(), signal.SIGTERM))
    told = [f"--{name}={value}" for name, value in (_serving(settings) | options()).items()]
    cli.main(["run", str(APP), *told], prog_name="perfcast ui", standalone_mode=False)


def _serving(settings: Settings) -> dict[str, str]:
    return {
        "server.address": settings.ui_host,
        "server.port": str(settings.ui_port),
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "runner.magicEnabled": "false",
    }
