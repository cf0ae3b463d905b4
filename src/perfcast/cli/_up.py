"""`perfcast up`, `serve` and `worker`: what runs until Ctrl-C."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import typer

from perfcast.cli._doctor import EXTRAS, how_to_install
from perfcast.cli._output import say
from perfcast.cli._workbench import workbench
from perfcast.errors import Conflict, MissingDependency

if TYPE_CHECKING:
    from perfcast.settings import Settings

_STARTERS = (sys.executable, "-m", "perfcast", "starters")
_HOST = typer.Option(None, help="Address to listen on (API_HOST).")
_PORT = typer.Option(None, help="Port to listen on, 0 for a free one (API_PORT).")
_LOG_LEVEL = typer.Option(None, help="DEBUG, INFO, WARNING or ERROR (LOG_LEVEL).")


def up(
    host: str | None = _HOST,
    port: int | None = _PORT,
    ui: bool = typer.Option(True, help="Serve the web UI too (UI_PORT)."),
) -> None:
    """Bring up everything: the database, the starter models if there are none, the API, a worker and the web UI.

    Ctrl-C ends everything; what was made stays in DATA_DIR, so that the next start takes a second or two. Where the
    web UI's libraries (the extra `ui`) or its port are missing, it says so and goes on without.

    Examples:
        perfcast up
        perfcast up --no-ui
        API_PORT=9000 DATA_DIR=/srv/perfcast perfcast up
    """
    from perfcast.api import listen, serve
    from perfcast.cli._starters import missing_starters
    from perfcast.processes import attached
    from perfcast.settings import load_settings

    settings = load_settings(api_host=host, api_port=port)
    listener = listen(settings)  # a port in use is told before a minute of training, not after it
    with workbench(settings) as bench:
        missing = missing_starters(bench.registry)  # also after an interrupted first start
        first = missing_starters(bench.registry, first=True)
    if first:
        say("making the starter models (once, about a minute)")
        _make_starters(settings)
    if ui and (obstacle := _obstacle_to_ui(settings)):
        say(f"going on without the web UI: {obstacle}")
        ui = False
    host, port = settings.api_host, listener.getsockname()[1]
    api = {"API_URL": settings.api_url or _address(host, port)}
    with ExitStack() as children:
        children.enter_context(attached("worker", settings.child_environment))
        if ui:
            children.enter_context(attached("ui", settings.child_environment | api))
        if set(missing) - set(first):
            say("the starter models for whole networks follow while it serves (a minute)")
            children.enter_context(_making_the_rest(settings))
        say(_where_to_look(host, port, _address(settings.ui_host, settings.ui_port) if ui else ""))
        serve(settings, listener)


def serve(host: str | None = _HOST, port: int | None = _PORT, log_level: str | None = _LOG_LEVEL) -> None:
    """Serve the registry's models over HTTP until Ctrl-C or SIGTERM.

    Examples:
        perfcast serve
        perfcast serve --host 0.0.0.0 --port 9000
        LOG_FORMAT=json DATABASE_URL=postgresql://… perfcast serve
    """
    from perfcast.api import serve
    from perfcast.settings import load_settings

    serve(load_settings(api_host=host, api_port=port, log_level=log_level))


def worker(
    concurrency: int | None = typer.Option(None, min=1, max=64, help="Jobs at a time (WORKER_CONCURRENCY)."),
    log_level: str | None = _LOG_LEVEL,
    attached: bool = typer.Option(False, "--attached", hidden=True, help="End when standard input does."),
) -> None:
    """Run queued training jobs until Ctrl-C or SIGTERM; jobs that are running then go back into the queue.

    With MODELS_DIR it also converts and registers the models of that folder, whenever one is new or changed.

    Any number of workers may share one database. `perfcast up` starts one by itself.

    Examples:
        perfcast worker
        perfcast worker --concurrency 2
        DATABASE_URL=postgresql://… REDIS_URL=redis://… perfcast worker
    """
    from perfcast.discovery import watching
    from perfcast.jobs import run_worker
    from perfcast.logs import configure_logs
    from perfcast.settings import load_settings

    settings = load_settings(worker_concurrency=concurrency, log_level=log_level)
    configure_logs(settings)
    with watching(settings):
        run_worker(settings, attached=attached)


def ui(
    host: str | None = typer.Option(None, help="Address to listen on (UI_HOST)."),
    port: int | None = typer.Option(None, help="Port to listen on (UI_PORT)."),
    api: str | None = typer.Option(None, help="Where the API is (API_URL)."),
    attached: bool = typer.Option(False, "--attached", hidden=True, help="End when standard input does."),
) -> None:
    """Serve the web UI until Ctrl-C or SIGTERM. `perfcast up` starts one by itself.

    Examples:
        perfcast ui
        perfcast ui --api http://perfcast.example:8000
        UI_HOST=0.0.0.0 UI_PORT=8601 REDIS_URL=redis://… perfcast ui
    """
    from perfcast.settings import load_settings
    from perfcast.ui import run_ui

    if absent := _absent_from_ui():
        raise MissingDependency(absent)
    run_ui(load_settings(ui_host=host, ui_port=port, api_url=api), attached=attached)


def _obstacle_to_ui(settings: "Settings") -> str:
    """Why the web UI can't be served; empty where it can."""
    from perfcast.ui import check_port

    try:
        check_port(settings)
    except Conflict as error:
        return _absent_from_ui() or str(error)
    return _absent_from_ui()


def _absent_from_ui() -> str:
    """How to install what the web UI lacks; empty where it lacks nothing."""
    absent = (module for module in EXTRAS["ui"] if importlib.util.find_spec(module) is None)
    return next((how_to_install(module) or module for module in absent), "")


def _make_starters(settings: "Settings") -> None:
    """Train in a process of its own: this one is to serve, and must not carry the learning libraries (rule R6)."""
    child = subprocess.Popen([*_STARTERS, "--first"], env=settings.child_environment)  # noqa: S603
    try:
        status = child.wait()
    except KeyboardInterrupt:
        child.wait()
        raise
    if status:
        raise typer.Exit(status)


@contextmanager
def _making_the_rest(settings: "Settings") -> Iterator[None]:
    """Those that nobody waits for; what isn't made when this ends is made at the next start."""
    child = subprocess.Popen(  # noqa: S603
        _STARTERS, env=settings.child_environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        child.wait()


def _address(host: str, port: int) -> str:
    reachable = "localhost" if host in ("0.0.0.0", "127.0.0.1", "::") else host  # noqa: S104
    return f"http://{reachable}:{port}"


def _where_to_look(host: str, port: int, ui: str) -> str:
    base = _address(host, port)
    pages = f"\n  look  {ui}" if ui else ""
    body = '{"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}'
    return (
        f"{pages}\n  API   {base}          documentation  {base}/docs"
        f"\n  ask   curl -s {base}/predict -d '{body}'"
        "\n  stop  Ctrl-C\n"
    )
