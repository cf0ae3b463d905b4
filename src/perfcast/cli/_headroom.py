"""`perfcast headroom`: how much load a limit allows."""

from typing import Any

import typer

from perfcast.cli._options import JSON, KEY, URL, names
from perfcast.cli._output import cell, say, show_facts, show_json, show_table
from perfcast.cli._place import open_place
from perfcast.cli._predict import feature_values

_SHOWN = 13
"""Points of the curve in the table."""


def headroom(
    features: list[str] = typer.Argument(None, help="FEATURE=VALUE …: the present load, and all else; or - for JSON."),
    limit: float = typer.Option(..., help="What the upper bound of the cost must stay below, in the cost's unit."),
    model: str = typer.Option("", help="NAME, NAME:VERSION or NAME@ALIAS; the workload's default model if not given."),
    confidence: float = typer.Option(0.95, help="That the cost stays below its bound: 0.75, 0.9, 0.95, 0.975, 0.995."),
    vary: str = typer.Option("", help="The load; the first feature whose cost rises with it, if not given."),
    scale_together: str = typer.Option(
        "", help="Comma-separated features that rise in proportion, or none; as the version has learnt, if not given."
    ),
    load: float = typer.Option(None, min=0, help="A load to be shared by replicas, each as described: how many?"),
    as_json: bool = JSON,
    url: str = URL,
    key: str = KEY,
) -> None:
    """Tell how far the load may rise before the upper bound of the cost passes a limit.

    What follows the load, such as users and connections, rises with it.

    Examples:
        perfcast headroom --limit 80 request_rate=120 active_users=60 db_connections=25 timestamp=2026-03-02T14:05:00Z
        perfcast headroom --limit 70 --confidence 0.975 --load 900 --model shop request_rate=120 active_users=60
            db_connections=25 timestamp=2026-03-02T14:05:00Z
    """
    asked: dict[str, Any] = {
        "limit": limit,
        "scenario": feature_values(features or []),
        "model_name": model or None,
        "confidence": confidence,
        "vary": vary or None,
        "scale_together": [] if scale_together == "none" else names(scale_together) or None,
        "load": load,
    }
    with open_place(url, key) as place:
        found = place.headroom(asked)
    if as_json:
        show_json(found)
        return
    _show(found)


def _show(found: dict[str, Any]) -> None:
    unit, load = found["unit"], found["vary"]
    say(found["words"])
    facts = {
        "model": f"{found['model_name']}:{found['model_version']}",
        f"largest {load}": found["max_load"],
        f"present {load}": found["current"]["load"],
        "headroom": None if found["headroom_percent"] is None else f"{found['headroom_percent']:+.1f} %",
        "upper bound now": f"{cell(found['current']['upper'])} {unit}",
        "largest it has seen": found["observed_max"],
        "beyond what it has seen": ", ".join(found["extrapolated"]) or None,
    }
    if found["replicas"] is not None:
        facts["replicas needed"] = found["replicas"]
    show_facts({**facts, **found["following"]})
    curve = found["curve"]
    step = max(1, -(-len(curve["load"]) // _SHOWN))
    rows = list(zip(*(curve[name] for name in ("load", "cost", "lower", "upper")), strict=True))[::step]
    columns = (load, f"{found['cost']}, {unit}", "lower", "upper")
    show_table(columns, rows, title="")
