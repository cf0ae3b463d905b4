"""`perfcast up`: everything, from nothing to an answer."""

import subprocess
import sys
from typing import TYPE_CHECKING

import typer

from perfcast.cli._output import say
from perfcast.cli._workbench import workbench

if TYPE_CHECKING:
    from perfcast.settings import Settings


def up(
    host: str | None = typer.Option(None, help="Address to listen on (API_HOST)."),
    port: int | None = typer.Option(None, help="Port to listen on, 0 for a free one (API_PORT)."),
) -> None:
    """Bring up everything: the database, the starter models if there are none, the API and a training worker.

    Ctrl-C ends everything; what was made stays in DATA_DIR, so that the next start takes a second or two.

    Examples:


        perfcast up

        API_PORT=9000 DATA_DIR=/srv/perfcast perfcast up
    """
    from perfcast.api import listen, serve
    from perfcast.jobs import attached_worker
    from perfcast.settings import load_settings

    settings = load_settings(api_host=host, api_port=port)
    listener = listen(settings)  # a port in use is told before a minute of training, not after it
    if _starters_wanted(settings):
        say("making the starter models (once, about a minute)")
        _make_starters(settings)
    say(_where_to_look(settings.api_host, listener.getsockname()[1]))
    with attached_worker(settings):
        serve(settings, listener)


def _starters_wanted(settings: "Settings") -> bool:
    """Whether a starter model is missing and none of the user's own is there: also after an interrupted first start."""
    from perfcast.cli._starters import missing_starters

    with workbench(settings) as bench:
        return bool(missing_starters(bench.registry))


def _make_starters(settings: "Settings") -> None:
    """Train in a process of its own: this one is to serve, and must not carry the learning libraries (rule R6)."""
    child = subprocess.Popen([sys.executable, "-m", "perfcast", "starters"], env=settings.child_environment)
    try:
        status = child.wait()
    except KeyboardInterrupt:
        child.wait()
        raise
    if status:
        raise typer.Exit(status)


def _where_to_look(host: str, port: int) -> str:
    reachable = "localhost" if host in ("0.0.0.0", "127.0.0.1", "::") else host  # noqa: S104
    base = f"http://{reachable}:{port}"
    body = '{"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}'
    return (
        f"\n  API   {base}          documentation  {base}/docs"
        f"\n  ask   curl -s {base}/predict -d '{body}'"
        "\n  stop  Ctrl-C\n"
    )
