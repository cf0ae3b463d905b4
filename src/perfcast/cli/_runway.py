"""`perfcast runway`: when the load outgrows a limit."""

from typing import Any

import typer

from perfcast.cli._options import JSON, KEY, URL, names
from perfcast.cli._output import say, show_facts, show_json, show_table
from perfcast.cli._place import open_place
from perfcast.errors import InvalidInput

_SHOWN = 14
"""Days in the table."""


def runway(
    model: str = typer.Argument("", help="NAME, NAME:VERSION or NAME@ALIAS; cpu-utilization's default if not given."),
    limit: float = typer.Option(..., help="What the upper bound of the cost must stay below, in the cost's unit."),
    horizon: str = typer.Option("30d", help="How far to look ahead: 30d, 12w, 3mo."),
    growth: str = typer.Option("", help="Of the load, such as 5%/month or 60%/year; as in its history if not given."),
    confidence: float = typer.Option(0.95, help="That the cost stays below its bound: 0.75, 0.9, 0.95, 0.975, 0.995."),
    vary: str = typer.Option("", help="The load; the first feature whose cost rises with it, if not given."),
    scale_together: str = typer.Option(
        "", help="Comma-separated features that rise in proportion, or none; as the version has learnt, if not given."
    ),
    days_off: str = typer.Option("", help="Comma-separated dates, past and to come, whose load is a Sunday's."),
    country: str = typer.Option("", help="Whose public holidays are such dates too, such as DE or US-CA."),
    as_json: bool = JSON,
    url: str = URL,
    key: str = KEY,
) -> None:
    """Tell when the upper bound of the cost first passes a limit, if the load goes on as it did.

    The load of the newest rows that the model learns from is forecast (days, weeks, growth), as many courses that it
    may take, and each goes through the model.

    Examples:
        perfcast runway --limit 80
        perfcast runway shop --limit 70 --horizon 12w --growth 5%/month
        perfcast runway shop --limit 80 --days-off 2026-12-25,2026-12-26 --url http://localhost:8000
    """
    asked: dict[str, Any] = {
        "limit": limit,
        "model_name": model or None,
        "confidence": confidence,
        "horizon_days": _days(horizon),
        "growth_percent_per_month": _per_month(growth) if growth else None,
        "vary": vary or None,
        "scale_together": [] if scale_together == "none" else names(scale_together) or None,
        "days_off": names(days_off),
        "country": country or None,
    }
    with open_place(url, key) as place:
        found = place.runway(asked)
    if as_json:
        show_json(found)
        return
    _show(found)


def _days(text: str) -> float:
    """Days of a text such as 30d."""
    sizes = {"d": 1.0, "w": 7.0, "mo": 30.0}
    for unit, size in sizes.items():
        number = text.removesuffix(unit)
        if number != text and _number(number) is not None:
            return size * (_number(number) or 0.0)
    raise InvalidInput.of("horizon", f"must be a time such as 30d, 12w or 3mo, got '{text}'")


def _per_month(text: str) -> float:
    """Percent a month of a text such as 5%/month."""
    number, _, per = text.replace(" ", "").partition("%/")
    months = {"month": 1.0, "year": 12.0, "week": 7 / 30}.get(per)
    percent = _number(number)
    if months is None or percent is None or percent <= -100:
        raise InvalidInput.of("growth", f"must be a share such as 5%/month or 60%/year, got '{text}'")
    return float(100 * ((1 + percent / 100) ** (1 / months) - 1))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _show(found: dict[str, Any]) -> None:
    history, band = found["history"], found["band"]
    say(found["words"])
    growth = history["growth_percent_per_month"]
    told = None if growth is None else f"{growth:+.1f} % a month"
    if history["growth_lower"] is not None:
        told = f"{told} ({history['growth_lower']:+.1f} to {history['growth_upper']:+.1f})"
    show_facts({
        "model": f"{found['model_name']}:{found['model_version']}",
        "history": f"{history['dataset']}, {history['days']:.1f} days",
        "growth": told,
        "first passed": found["first_exceeded_at"],
        "earliest, latest": f"{band['earliest'] or 'beyond'}, {band['latest'] or 'beyond'}",
        "probability": f"{100 * found['probability']:.0f} % within {found['horizon_days']:g} days",
    })  # fmt: skip
    days = found["peaks_by_day"]
    step = max(1, -(-len(days) // _SHOWN))
    rows = [
        (
            day["date"],
            day["load"]["middle"],
            day["bound"]["middle"],
            day["bound"]["upper"],
            f"{100 * one['probability']:.0f} %",
        )
        for day, one in list(zip(days, found["probability_by_day"], strict=True))[::step]
    ]
    columns = ("day", f"peak {found['vary']}", f"bound, {found['unit']}", "at most", "passed by then")
    show_table(columns, rows)
    hours = found["replicas_by_hour"]
    if any(one["replicas"] != 1 for one in hours):
        most = max((one["replicas"] or 0 for one in hours), default=0)
        say(f"replicas needed in the next {len(hours) // 24} days: up to {most}; --json has each hour")
