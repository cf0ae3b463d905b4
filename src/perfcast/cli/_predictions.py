"""Commands on what was predicted."""

from pathlib import Path

import typer

from perfcast.cli._moments import moment
from perfcast.cli._output import say
from perfcast.cli._progress import row_progress
from perfcast.cli._workbench import workbench

_SINCE = typer.Option("", help="From a time on, such as 2026-03-01 or 2026-03-01T14:00Z, or how long ago: 12h, 30d.")
_UNTIL = typer.Option("", help="Before a time; the same.")


def export(
    out: Path = typer.Argument(..., metavar="OUT", help="The file; one that is there is replaced."),
    model: str = typer.Option("", help="Of this model only."),
    since: str = _SINCE,
    until: str = _UNTIL,
    form: str = typer.Option("", "--format", help="parquet, csv or arrow; by the file's name if not given."),
) -> None:
    """Write recorded predictions into a file: Parquet, CSV or Arrow.

    Columns: id, at, model, version, arm, each feature by its name, cost, lower, upper, coverage.

    Examples:
        perfcast predictions export march.parquet --since 2026-03-01 --until 2026-04-01
        perfcast predictions export shop.csv --model cpu-utilization-shop
        perfcast predictions export today.arrow --since 2026-03-02T00:00+01:00 --format arrow
    """
    from perfcast.monitoring import Selection, export_predictions
    from perfcast.storage import time_text

    with workbench() as bench, row_progress() as on_rows:
        zone = bench.settings.service_timezone
        begins, ends = (
            time_text(moment(option, text, zone)) if text else None
            for option, text in (("--since", since), ("--until", until))
        )
        if model:
            bench.registry.model(model)  # tells the names that look alike
        rows = export_predictions(
            bench.database,
            out,
            Selection(model or None, begins, ends),
            features_of=bench.registry.features,
            form=form,
            on_rows=on_rows,
        )
    say(f"{rows:,} predictions into {out}")
