"""Commands on what was predicted."""

from datetime import UTC, datetime
from pathlib import Path

import typer

from perfcast.cli._output import say
from perfcast.cli._progress import row_progress
from perfcast.cli._workbench import workbench
from perfcast.errors import InvalidSetting

_SINCE = typer.Option("", help="From this time on: 2026-03-01, 2026-03-01T14:00Z; UTC where it says no zone.")
_UNTIL = typer.Option("", help="Before this time.")


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

    selection = Selection(model or None, _time("--since", since), _time("--until", until))
    with workbench() as bench, row_progress() as on_rows:
        if model:
            bench.registry.model(model)  # tells the names that look alike
        rows = export_predictions(
            bench.database, out, selection, features_of=bench.registry.features, form=form, on_rows=on_rows
        )
    say(f"{rows:,} predictions into {out}")


def _time(option: str, text: str) -> str | None:
    """The time as the database keeps it."""
    from perfcast.storage import time_text

    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidSetting(f"{option}: expected a time such as 2026-03-01T14:00Z, got '{text}'") from None
    return time_text(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))
