"""`perfcast models discover`: convert another system's models now."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from perfcast.cli._output import say, show_table, working
from perfcast.cli._workbench import workbench
from perfcast.errors import InvalidSetting

if TYPE_CHECKING:
    from perfcast.discovery import Result


def discover(
    folder: Path | None = typer.Argument(None, help="Folder of models; MODELS_DIR if not given."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Convert and compare, but register nothing."),
) -> None:
    """Convert and register the models of a folder, once; workers do so by themselves for MODELS_DIR.

    Joblib files run code when they are loaded: name only folders that you trust. Exit status 1 where a file failed.

    Examples:
        perfcast models discover CNN_Algorithms --dry-run
        MODELS_DIR=/srv/CNN_Algorithms perfcast models discover
    """
    from perfcast.discovery import Discovery, Records, make_converter
    from perfcast.settings import load_settings

    settings = load_settings(models_dir=folder)
    if settings.models_dir is None:
        raise InvalidSetting("no folder was given; name one, or set MODELS_DIR")
    with workbench(settings) as bench:
        workloads = dict(bench.workloads)
        converter = make_converter(settings, workloads)
        discovery = Discovery(settings.models_dir, bench.registry, Records(bench.database), converter, workloads)
        logging.getLogger("perfcast.discovery").setLevel(logging.CRITICAL)  # the table tells of each file
        with working(f"looking through {settings.models_dir} …"):
            results = list(discovery.look(dry_run=dry_run))
    if not results:
        say(
            f"no models in {settings.models_dir}: files must be called best_{{model_type}}_model, "
            "with the suffix .pth, .joblib, .ubj, .json or .onnx"
        )
        return
    show_table(("file", "model", "version", "type", "result"), (_row(result) for result in results))
    if any(result.news == "failed" for result in results):
        raise typer.Exit(1)


def _row(result: "Result") -> tuple[object, ...]:
    record = result.record
    outcome = f"failed: {record.reason}" if result.news == "failed" else result.news
    return (record.path, record.model, record.version, result.family, outcome)
