"""`perfcast predict`, `explain` and `score`: what one piece of work costs and why, or every row of files."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from perfcast.cli._data import told
from perfcast.cli._options import JSON, KEY, URL
from perfcast.cli._output import cell, say, show_json, show_table
from perfcast.cli._place import open_place
from perfcast.cli._progress import row_progress
from perfcast.cli._workbench import workbench
from perfcast.errors import InvalidInput, InvalidSetting

if TYPE_CHECKING:
    from perfcast.scoring import ScoreReport


def predict(
    features: list[str] = typer.Argument(None, help="FEATURE=VALUE …; or - to read a JSON object from standard input."),
    model: str = typer.Option("", help="NAME, NAME:VERSION or NAME@ALIAS; the workload's default model if not given."),
    coverage: float = typer.Option(0.9, help="Share of true costs the interval shall hold: 0.5, 0.8, 0.9, 0.95, 0.99."),
    device: str = typer.Option("", help="Adds a device's figures, for models that read them: `perfcast devices list`."),
    url: str = URL,
    key: str = KEY,
) -> None:
    """Predict the cost of one piece of work with a model of the registry, no server needed; or ask a server.

    Examples:
        perfcast predict request_rate=120 active_users=60 db_connections=25 timestamp=2026-03-02T14:05:00Z
        perfcast predict --model cnn-execution-time-cpu-torch batch_size=8 input_channels=3 input_height=224
            input_width=224 output_channels=64 kernel_size=7 stride=2
        echo '{"batch_size": 1, …}' | perfcast predict --model cnn-execution-time-cpu-torch@challenger -
        perfcast predict --model convolution-across-devices-gpus --device a100-sxm4-40gb batch_size=8 input_channels=64
            input_height=56 input_width=56 output_channels=64 kernel_size=3
        perfcast predict --url http://localhost:8000 --model cpu-utilization request_rate=120 …
    """
    from perfcast.manifest import COVERAGES

    if coverage not in COVERAGES:
        raise InvalidInput.of("coverage", f"must be one of {', '.join(map(str, COVERAGES))}, got {coverage}")
    with open_place(url, key) as place:
        show_json(place.predict(model, {**_figures(device), **feature_values(features or [])}, coverage))


def _figures(device: str) -> dict[str, float]:
    """What models of `convolution-across-devices` read of a device; nothing where none is named."""
    if not device:
        return {}
    from perfcast.devices import devices_folder, find_device, load_devices
    from perfcast.settings import load_settings
    from perfcast.workloads import builtin_workloads

    found = find_device(device, load_devices(devices_folder(load_settings())))
    return dict(found.features(builtin_workloads()["convolution-across-devices"].feature_names, device))


def explain(
    features: list[str] = typer.Argument(None, help="FEATURE=VALUE …; or - to read a JSON object from standard input."),
    model: str = typer.Option("", help="NAME, NAME:VERSION or NAME@ALIAS; the workload's default model if not given."),
    as_json: bool = JSON,
    url: str = URL,
    key: str = KEY,
) -> None:
    """Tell why a prediction is what it is: what each feature adds, beside usual rows (Shapley values).

    Together with the mean of the usual rows they come to the prediction. Where errors are relative, so do the factors,
    times the usual rows' geometric mean.

    Examples:
        perfcast explain request_rate=120 active_users=60 db_connections=25 timestamp=2026-03-02T14:05:00Z
        perfcast explain --model cnn-execution-time-cpu-torch batch_size=8 input_channels=3 input_height=224
            input_width=224 output_channels=64 kernel_size=7 stride=2
    """
    with open_place(url, key) as place:
        found = place.explain(model, feature_values(features or []))
    if as_json:
        show_json(found)
        return
    unit, factors = found["unit"], found["typical_value"] is not None
    columns = ("feature", "value", f"adds, {unit}", *(("times",) if factors else ()))
    given = [
        (one["feature"], one["value"], one["contribution"], *((f"× {one['factor']:.3g}",) if factors else ()))
        for one in found["contributions"]
    ]
    usual = ("usual", None, found["base_value"], *((cell(found["typical_value"]),) if factors else ()))
    total = ("prediction", None, found["prediction"], *((cell(found["prediction"]),) if factors else ()))
    title = f"{found['cost']} of {found['model_name']}:{found['model_version']}"
    show_table(columns, [usual, *given, total], title=title)


def score(
    source: Path = typer.Argument(..., metavar="INPUT", help="CSV, Parquet or Arrow, or a folder of such files."),
    target: Path = typer.Argument(..., metavar="OUTPUT", help="NAME.parquet for one file, else a folder of parts."),
    model: str = typer.Option(..., help="NAME, NAME:VERSION or NAME@ALIAS."),
    coverage: float = typer.Option(0.9, help="Share of true costs the intervals hold: 0.5, 0.8, 0.9, 0.95, 0.99."),
    column: list[str] = typer.Option([], "--map", help="FEATURE=COLUMN or FEATURE=EXPRESSION; the rest goes by name."),
    bad: str = typer.Option("mark", help="Rows that can't be scored: mark them with the reason, or refuse the file."),
    overwrite: bool = typer.Option(False, help="Replace an earlier output."),
) -> None:
    """Score rows that may be more than memory holds; bad ones are counted.

    Adds the columns cost, lower, upper, extrapolated and problem. With DASK_SCHEDULER_ADDRESS set the workers of that
    cluster do the work; they must see both paths.

    Examples:
        perfcast score layers.parquet scored.parquet --model cnn-execution-time-cpu-torch
        perfcast score logs/ scored/ --model cpu-utilization --coverage 0.95 --map request_rate="requests / 60"
    """
    from perfcast.cluster import scheduler_of
    from perfcast.scoring import Plan
    from perfcast.scoring import score as score_files
    from perfcast.settings import load_settings

    if bad not in ("mark", "refuse"):
        raise InvalidSetting(f"--bad must be mark or refuse, got '{bad}'")
    settings = load_settings()
    cluster = scheduler_of(settings)
    with workbench(settings) as bench:
        version = bench.registry.resolve(model)
        graph = bench.registry.graph(version)
    plan = Plan(
        version, graph, coverage, told(column), "mark" if bad == "mark" else "refuse", str(settings.service_timezone)
    )
    with row_progress() as on_rows:
        report = score_files(plan, source, target, cluster=cluster, overwrite=overwrite, on_rows=on_rows)
    _report(version.reference, target, report)


def feature_values(words: list[str]) -> dict[str, Any]:
    """Features by name, of FEATURE=VALUE … or of `-`: JSON on standard input."""
    if words == ["-"]:
        return _object(sys.stdin.read())
    values: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise typer.BadParameter(f"'{word}' is not FEATURE=VALUE")
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return values


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput.of("body", f"is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput.of("body", "must be a JSON object of features")
    return value


def _report(reference: str, target: Path, report: "ScoreReport") -> None:
    rate = report.rows / report.seconds if report.seconds else 0.0
    say(f"{report.rows:,} rows by {reference} into {target} in {report.seconds:.1f} s ({rate:,.0f} rows/s)")
    if report.extrapolated:
        say(f"{report.extrapolated:,} rows lie outside what the version was trained on")
    for note, rows in report.notes.items():
        say(f"assumed in {rows:,} row{'s' * (rows != 1)}: {note}")
    if report.bad:
        say(f"{report.bad:,} rows could not be scored; column 'problem' says why:")
        for reason, rows in sorted(report.reasons.items(), key=lambda item: -item[1])[:10]:
            say(f"  {rows:,} × {reason}")
