"""`perfcast models accuracy`: how true predictions turn out, and whether an arm is better than the champion."""

from collections.abc import Iterator, Mapping
from typing import Any

from perfcast.cli._options import JSON, KEY, MODEL, URL
from perfcast.cli._output import cell, say, show_json, show_table
from perfcast.cli._place import open_place

_COLUMNS = (
    *("alias", "version", "window", "predictions", "actuals", "MAE", "MAPE %", "RMSE", "bias"),
    *("coverage %", "width", "extrapolated %"),
)
_FIGURES = ("predictions", "actuals", "mae", "mape", "rmse", "bias", "coverage", "width", "extrapolated")


def accuracy(model: str = MODEL, as_json: bool = JSON, url: str = URL, key: str = KEY) -> None:
    """Show how true a model's predictions turned out, by alias, over an hour, a day, a week and all time.

    What turned out is told by `POST /feedback`, and a worker sums it up. Coverage and width are of intervals at 0.9.

    Examples:
        perfcast models accuracy cpu-utilization
        perfcast models accuracy cpu-utilization --url http://localhost:8000 --json
    """
    with open_place(url, key) as place:
        arms = place.arms(model)
    if as_json:
        show_json(arms)
        return
    rows = [row for alias, arm in sorted(arms.items()) for row in _rows(alias, arm)]
    if not rows:
        say(f"{model}: nothing was predicted yet that a worker has looked at (perfcast up and perfcast worker do)")
        return
    show_table(_COLUMNS, rows)
    if not any(arm["live"] and arm["live"]["all"]["actuals"] for arm in arms.values()):
        say("no actuals yet: tell them with POST /feedback")
    for alias, arm in sorted(arms.items()):
        if "against_champion" in arm:
            print(f"\n{alias} against champion: {_verdict(arm['against_champion'])}")


def _rows(alias: str, arm: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    for window, figures in arm["live"].items():
        if figures["predictions"] or figures["actuals"]:
            yield (alias, arm["version"], window, *(figures[name] for name in _FIGURES))


def _verdict(compared: Mapping[str, Any]) -> str:
    hours, measure = compared["hours"], compared["measure"].upper() + (" %" if compared["measure"] == "mape" else "")
    if compared["lower"] is None:
        return f"judged together in {hours} finished hours; 24 are needed to compare them"
    bounds = f"{cell(compared['lower'])} to {cell(compared['upper'])}"
    found = f"{compared['better']} is better" if compared["significant"] else "no sure difference yet"
    return f"{measure} {compared['difference']:+.4g} ({bounds}) over {hours} hours: {found}"
