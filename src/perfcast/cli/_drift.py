"""`perfcast drift`: what has moved, by what workers found."""

from typing import Any

from perfcast.cli._options import JSON, KEY, MODEL, URL
from perfcast.cli._output import say, show_json, show_table
from perfcast.cli._place import open_place


def drift(model: str = MODEL, as_json: bool = JSON, url: str = URL, key: str = KEY) -> None:
    """Show whether a model's errors, coverage, inputs and data are as usual; a score of 1 is the threshold.

    Errors and coverage are what somebody should look at; inputs explain them.

    Examples:
        perfcast drift cpu-utilization
        perfcast drift cpu-utilization --json --url http://localhost:8000
    """
    with open_place(url, key) as place:
        found = place.drift(model)
    if as_json:
        show_json(found)
        return
    if found["note"]:
        say(f"{model}: {found['note']}")
        return
    say(_heading(found))
    show_table(("about", "of", "score", "alarm", "since (UTC)", "what was found"), map(_row, found["findings"]))
    if found["anomalies"]:
        print()
        columns = ("from (UTC)", "until (UTC)", "errors that ended again")
        show_table(columns, map(_anomaly, found["anomalies"]))


def _heading(found: dict[str, Any]) -> str:
    until = {"inputs": found["inputs_until"], "actuals": found["actuals_until"]}
    judged = ", ".join(f"{name} up to the hour of {at[:13]}" for name, at in until.items() if at) or "nothing yet"
    watched = f"{found['model_name']}:{found['version']}, watched since {found['watched_since'][:16]} (UTC)"
    return f"{watched}; judged: {judged}"


def _row(finding: dict[str, Any]) -> list[Any]:
    alarm = ("pages" if finding["pages"] else "yes") if finding["alarm"] else ""
    since = (finding["since"] or "")[:16]
    return [finding["kind"], finding["feature"], round(finding["score"], 2), alarm, since, finding["words"]]


def _anomaly(anomaly: dict[str, Any]) -> list[Any]:
    return [anomaly["first_at"][:16], anomaly["last_at"][:16], anomaly["reason"]]
