"""The commands and what happens when one fails."""

import inspect
import os
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping
from typing import NoReturn

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
    _starters,
    _train,
    _up,
    _variants,
    _versions,
)
from perfcast.cli._doctor import how_to_install
from perfcast.cli._output import complain
from perfcast.errors import PerfcastError

_ABOUT = """Perfcast learns what a workload will cost before it runs, and serves that knowledge.

Start with `perfcast up`: it makes the starter models and serves them.
"""


_Commands = Mapping[str, Callable[..., None]]
TOP: _Commands = {
    "up": _up.up,
    "serve": _up.serve,
    "train": _train.train,
    "worker": _up.worker,
    "predict": _predict.predict,
    "profile": _profile.profile,
    "doctor": _doctor.doctor,
    "score": _score.score,
}
DATA: _Commands = {"generate": _data.generate, "import": _data.import_, "list": _data.list_, "show": _data.show}
JOBS: _Commands = {
    "submit": _jobs.submit,
    "list": _jobs.list_jobs,
    "show": _jobs.show,
    "watch": _jobs.watch,
    "cancel": _jobs.cancel,
}
SCHEDULES: _Commands = {
    "list": _schedules.list_schedules,
    "set": _schedules.set_schedule,
    "show": _schedules.show,
    "remove": _schedules.remove,
    "history": _schedules.history,
}
MODELS: _Commands = {
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
    _add(app, TOP)
    _add_group(app, "data", DATA, "Generate, import, list and show measured rows.")
    _add_group(app, "models", MODELS, "List, show, activate, compare, upload and thin out models.")
    _add_group(app, "jobs", JOBS, "Training jobs: submit, watch, cancel. Workers run them.")
    about = "Continuous training: by the clock, with new rows, on drift. Workers look after it."
    _add_group(app, "schedules", SCHEDULES, about)
    app.command(hidden=True)(_starters.starters)
    return app


def _add(app: typer.Typer, commands: _Commands) -> None:
    for name, function in commands.items():
        app.command(name, help=help_text(function.__doc__ or ""))(function)


def _add_group(app: typer.Typer, name: str, commands: _Commands, about: str) -> None:
    group = typer.Typer(help=about, no_args_is_help=True)
    _add(group, commands)
    app.add_typer(group, name=name)


def help_text(docstring: str) -> str:
    """A docstring as --help shows it: each example is a paragraph; deeper lines go on with the one before."""
    about, heading, examples = inspect.cleandoc(docstring).partition("Examples:\n")
    return about + heading + "\n" + re.sub(r"\n(?=\S)", "\n\n", textwrap.dedent(examples))


def main() -> None:
    """Run the command line; a failure that Perfcast foresaw is one line on standard error and exit status 1."""
    if not sys.warnoptions:  # warnings of libraries are for developers, who ask with -W or PYTHONWARNINGS
        warnings.simplefilter("ignore")
        os.environ["PYTHONWARNINGS"] = "ignore"
    try:
        application()()
    except PerfcastError as error:
        _end(str(error))
    except ModuleNotFoundError as error:
        what_to_do = how_to_install(error.name or "")
        if what_to_do is None:
            raise
        _end(what_to_do)
    except OSError as error:
        if error.filename is None:
            raise
        _end(f"{error.filename}: {error.strerror}")  # a file that can't be read or written
    except KeyboardInterrupt:
        _end("stopped", status=130)


def _end(text: str, *, status: int = 1) -> NoReturn:
    complain(text)
    sys.exit(status)


def _options(
    version: bool = typer.Option(False, "--version", help="Show the version and stop.", is_eager=True),
) -> None:
    if version:
        from perfcast import __version__

        typer.echo(f"perfcast {__version__}")
        raise typer.Exit
