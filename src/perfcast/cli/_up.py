"""`perfcast up`: everything, from nothing to an answer."""

import subprocess
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from perfcast.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def up(
    host: str | None = typer.Option(None, help="Address to listen on (API_HOST)."),
    port: int | None = typer.Option(None, help="Port to listen on, 0 for a free one (API_PORT)."),
) -> None:
    """Bring up everything: the database, the starter models if there are none, the API.

    Ctrl-C ends everything; what was made stays in DATA_DIR, so that the next start takes a second or two.

    Examples:

        perfcast up

        API_PORT=9000 DATA_DIR=/srv/perfcast perfcast up
    """
    from perfcast.api import listen, serve
    from perfcast.cli._output import say
    from perfcast.settings import load_settings

    settings = load_settings(api_host=host, api_port=port)
    listener = listen(settings)  # a port in use is told before a minute of training, not after it
    if not _has_models(settings):
        say("no models yet: making the starter models (once, under a minute)")
        _make_starters()
    say(_where_to_look(settings.api_host, listener.getsockname()[1]))
    serve(settings, listener)


def _has_models(settings: "Settings") -> bool:
    from perfcast.cli._workbench import workbench

    with workbench(settings) as bench:
        return bool(bench.registry.models())


def _make_starters() -> None:
    """Train in a process of its own: this one is to serve, and must not carry the learning libraries (rule R6)."""
    child = subprocess.Popen([sys.executable, "-m", "perfcast", "starters"])
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
