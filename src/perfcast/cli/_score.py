"""`perfcast score`: the predicted cost of every row of files."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from perfcast.cli._data import told
from perfcast.cli._output import say
from perfcast.cli._progress import RowProgress
from perfcast.cli._workbench import workbench

if TYPE_CHECKING:
    from perfcast.scoring import ScoreReport


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
    from perfcast.errors import InvalidSetting
    from perfcast.scoring import Plan
    from perfcast.scoring import score as score_files
    from perfcast.settings import load_settings

    if bad not in ("mark", "refuse"):
        raise InvalidSetting(f"--bad must be mark or refuse, got '{bad}'")
    settings = load_settings()
    with workbench(settings) as bench:
        version = bench.registry.resolve(model)
        graph = bench.registry.graph(version)
    plan = Plan(
        version, graph, coverage, told(column), "mark" if bad == "mark" else "refuse", settings.service_timezone
    )
    with RowProgress() as progress:
        report = score_files(
            plan, source, target, cluster=settings.dask_scheduler_address, overwrite=overwrite, on_rows=progress.show
        )
    _say(version.reference, target, report)


def _say(reference: str, target: Path, report: "ScoreReport") -> None:
    rate = report.rows / report.seconds if report.seconds else 0.0
    say(f"{report.rows:,} rows by {reference} into {target} in {report.seconds:.1f} s ({rate:,.0f} rows/s)")
    if report.extrapolated:
        say(f"{report.extrapolated:,} rows lie outside what the version was trained on")
    for note, rows in report.notes.items():
        say(f"assumed in {rows:,} rows: {note}")
    if report.bad:
        say(f"{report.bad:,} rows could not be scored; column 'problem' says why:")
        for reason, rows in sorted(report.reasons.items(), key=lambda item: -item[1])[:10]:
            say(f"  {rows:,} × {reason}")
