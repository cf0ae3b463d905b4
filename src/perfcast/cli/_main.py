"""The commands and what happens when one fails."""

import sys

import typer

from perfcast.cli import (
    _data,
    _doctor,
    _jobs,
    _models,
    _predict,
    _profile,
    _schedules,
    _score,
    _serve,
    _starters,
    _train,
    _up,
    _worker,
)
from perfcast.cli._extras import how_to_install
from perfcast.cli._output import complain
from perfcast.errors import PerfcastError

_ABOUT = """Perfcast learns what a workload will cost before it runs, and serves that knowledge.

Start with `perfcast up`: it makes the starter models and serves them.
"""


def application() -> typer.Typer:
    """All commands, ready to be called."""
    app = typer.Typer(
        name="perfcast", help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False
    )
    app.callback()(_options)
    first = (_up, _serve, _train, _jobs, _schedules, _worker, _predict, _score)
    for module in (*first, _data, _profile, _models, _doctor, _starters):
        module.register(app)
    return app


def main() -> None:
    """Run the command line; a failure that Perfcast foresaw is one line on standard error and exit status 1."""
    try:
        application()()
    except PerfcastError as error:
        complain(str(error))
        sys.exit(1)
    except ModuleNotFoundError as error:
        what_to_do = how_to_install(error.name or "")
        if what_to_do is None:
            raise
        complain(what_to_do)
        sys.exit(1)
    except KeyboardInterrupt:
        complain("stopped")
        sys.exit(130)


def _options(
    version: bool = typer.Option(False, "--version", help="Show the version and stop.", is_eager=True),
) -> None:
    if version:
        from perfcast import __version__

        typer.echo(f"perfcast {__version__}")
        raise typer.Exit
