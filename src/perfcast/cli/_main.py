"""The commands and what happens when one fails."""

import inspect
import os
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

import typer

from perfcast.cli import (
    _accuracy,
    _aliases,
    _backup,
    _calibrate,
    _cluster,
    _collect,
    _data,
    _devices,
    _doctor,
    _drift,
    _headroom,
    _jobs,
    _models,
    _network,
    _predict,
    _predictions,
    _report,
    _runway,
    _schedules,
    _starters,
    _train,
    _up,
    _versions,
)
from perfcast.cli._doctor import how_to_install
from perfcast.cli._output import say
from perfcast.errors import PerfcastError

_ABOUT = """Perfcast learns what a workload will cost before it runs, and serves that knowledge.

Start with `perfcast up`: it makes the starter models and serves them.
"""


COMMANDS: Mapping[str, tuple[str, Sequence[Callable[..., None]]]] = {
    "": (
        _ABOUT,
        (
            _up.up, _up.serve, _train.train, _up.worker, _up.ui, _predict.predict, _predict.explain,
            _headroom.headroom, _runway.runway, _network.network, _data.profile, _calibrate.calibrate,
            _doctor.doctor, _predict.score, _drift.drift, _report.report, _backup.backup, _backup.restore,
        ),
    ),
    "data": (
        "Generate, import, list and show measured rows.",
        (_data.generate, _data.import_, _data.list_, _data.show),
    ),
    "collect": (
        "Rows straight from Prometheus: check the queries, take in the past, follow.",
        (_collect.init, _collect.check, _collect.backfill, _collect.follow),
    ),
    "models": (
        "List, show, activate, compare, upload and thin out models.",
        (
            _models.list_, _models.show, _report.card, _accuracy.accuracy, _aliases.activate, _aliases.deactivate,
            _aliases.alias, _aliases.traffic, _models.compare, _aliases.default, _versions.upload, _versions.delete,
            _versions.quantize, _versions.prune, _versions.distill, _versions.export, _versions.discover,
        ),
    ),
    "jobs": (
        "Training jobs: submit, watch, cancel. Workers run them.",
        (_jobs.submit, _jobs.list_, _jobs.show, _jobs.watch, _jobs.cancel),
    ),
    "devices": (
        "What devices could do at most, by their data sheets: list, show, add this machine, join rows.",
        (_devices.list_, _devices.show, _devices.add, _devices.join),
    ),
    "cluster": ("More machines: what a Dask cluster needs.", (_cluster.certificates,)),
    "predictions": ("What was predicted: write it into files.", (_predictions.export,)),
    "schedules": (
        "Continuous training: by the clock, with new rows, on drift. Workers look after it.",
        (_schedules.list_, _schedules.set_, _schedules.show, _schedules.remove, _schedules.history),
    ),
}  # fmt: skip
"""For each group (the first is on top) what it is about, and its commands, called as the functions."""


def application() -> typer.Typer:
    """All commands, ready to be called."""
    app = typer.Typer(
        name="perfcast", help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False
    )
    app.callback()(_options)
    for name, (about, commands) in COMMANDS.items():
        group = typer.Typer(help=about, no_args_is_help=True) if name else app
        for command in commands:
            group.command(command.__name__.strip("_"), help=help_text(command.__doc__ or ""))(command)
        if name:
            app.add_typer(group, name=name)
    app.command(hidden=True)(_starters.starters)
    return app


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
    say(f"perfcast: {text}")
    sys.exit(status)


def _options(
    version: bool = typer.Option(False, "--version", help="Show the version and stop.", is_eager=True),
) -> None:
    if version:
        from perfcast import __version__

        typer.echo(f"perfcast {__version__}")
        raise typer.Exit
