"""The commands and what happens when one fails."""

import os
import sys
import warnings
from collections.abc import Callable, Mapping

import typer

from perfcast.cli import (
    _aliases,
    _data,
    _discover,
    _doctor,
    _export,
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
    _variants,
    _versions,
    _worker,
)
from perfcast.cli._extras import how_to_install
from perfcast.cli._output import complain
from perfcast.errors import PerfcastError

_ABOUT = """Perfcast learns what a workload will cost before it runs, and serves that knowledge.

Start with `perfcast up`: it makes the starter models and serves them.
"""


JOBS: dict[str, Callable[..., None]] = {
    "submit": _jobs.submit,
    "list": _jobs.list_jobs,
    "show": _jobs.show,
    "watch": _jobs.watch,
    "cancel": _jobs.cancel,
}
SCHEDULES: dict[str, Callable[..., None]] = {
    "list": _schedules.list_schedules,
    "set": _schedules.set_schedule,
    "show": _schedules.show,
    "remove": _schedules.remove,
    "history": _schedules.history,
}
MODELS: dict[str, Callable[..., None]] = {
    "list": _models.list_,
    "show": _models.show,
    "activate": _aliases.activate,
    "deactivate": _aliases.deactivate,
    "alias": _aliases.alias,
    "traffic": _aliases.traffic,
    "compare": _models.compare,
    "default": _aliases.default,
    "upload": _versions.upload,
    "delete": _versions.delete,
    "quantize": _variants.quantize,
    "prune": _variants.prune,
    "export": _export.export,
    "discover": _discover.discover,
}


def application() -> typer.Typer:
    """All commands, ready to be called."""
    app = typer.Typer(
        name="perfcast", help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False
    )
    app.callback()(_options)
    app.command()(_up.up)
    app.command()(_serve.serve)
    app.command()(_train.train)
    app.add_typer(_group(JOBS, "Training jobs: submit, watch, cancel. Workers run them."), name="jobs")
    about = "Continuous training: by the clock, with new rows, on drift. Workers look after it."
    app.add_typer(_group(SCHEDULES, about), name="schedules")
    app.command()(_worker.worker)
    app.command()(_predict.predict)
    _score.register(app)
    _data.register(app)
    app.command()(_profile.profile)
    app.add_typer(_group(MODELS, "List, show, activate, compare, upload and thin out models."), name="models")
    app.command()(_doctor.doctor)
    app.command(hidden=True)(_starters.starters)
    return app


def _group(commands: Mapping[str, Callable[..., None]], about: str) -> typer.Typer:
    group = typer.Typer(help=about, no_args_is_help=True)
    for name, function in commands.items():
        group.command(name)(function)
    return group


def main() -> None:
    """Run the command line; a failure that Perfcast foresaw is one line on standard error and exit status 1."""
    if not sys.warnoptions:  # warnings of libraries are for developers, who ask with -W or PYTHONWARNINGS
        warnings.simplefilter("ignore")
        os.environ["PYTHONWARNINGS"] = "ignore"
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
