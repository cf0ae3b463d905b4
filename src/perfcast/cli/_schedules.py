"""`perfcast schedules`: when models are trained anew, in the registry's own database or on a server."""

from typing import Any

import typer

from perfcast.cli._options import (
    BASE,
    FAMILIES,
    JSON,
    KEY,
    MODEL,
    NEWEST,
    PROMOTE,
    SEED,
    TIMEOUT,
    TRENDS,
    TRIALS,
    URL,
    names,
)
from perfcast.cli._output import say, show_json, show_list
from perfcast.cli._place import open_place


def list_(as_json: bool = JSON, url: str = URL, key: str = KEY) -> None:
    """List the schedules: triggers, the last run, and why one waits.

    Examples:
        perfcast schedules list
        perfcast schedules list --json --url http://localhost:8000
    """
    with open_place(url, key) as place:
        found = place.schedules()
    columns = ("model", "enabled", "cron", "new rows", "drift", "next (UTC)", "last fired (UTC)", "waits because")
    empty = 'no schedules yet: perfcast schedules set MODEL --cron "0 3 * * *" makes one'
    show_list(columns, found, _row, empty=empty, as_json=as_json)


def set_(
    model: str = MODEL,
    cron: str = typer.Option("", help="Minute, hour, day, month, weekday, in SERVICE_TIMEZONE."),
    new_rows: int | None = typer.Option(None, min=1, help="So many more rows than the last run learnt from."),
    drift: bool = typer.Option(False, "--drift", help="When monitoring signals drift or lost accuracy."),
    minimum_interval: float = typer.Option(3600, min=1, help="Least seconds from one run to the next."),
    most_per_day: int = typer.Option(4, min=1, max=1000, help="Most runs that signals alone begin in 24 hours."),
    least_new_rows: int = typer.Option(0, min=0, help="So many more rows for a signal alone to begin a run."),
    dataset: str = typer.Option("", help="Line of rows to learn from; the model's own if not given."),
    families: str = FAMILIES,
    trials: int = TRIALS,
    timeout: float | None = TIMEOUT,
    seed: int = SEED,
    newest_rows: int | None = NEWEST,
    base: str = BASE,
    trends: str = TRENDS,
    promote: str = PROMOTE,
    disabled: bool = typer.Option(False, "--disabled", help="Keep it, but don't fire."),
    url: str = URL,
    key: str = KEY,
) -> None:
    """Make a model's schedule, or replace it whole. At least one trigger is needed.

    Examples:
        perfcast schedules set cpu-utilization --cron "0 3 * * *"
        perfcast schedules set cpu-utilization --new-rows 5000 --drift --trials 50 --timeout 600
        perfcast schedules set cpu-utilization --drift --newest-rows 4320 --least-new-rows 360
        perfcast schedules set cpu-utilization --cron "0 3 * * mon-fri" --promote never --url http://localhost:8000
    """
    request: dict[str, Any] = {"n_trials": trials, "families": names(families), "seed": seed, "promote": promote}
    request |= {"dataset": dataset or None, "timeout_seconds": timeout, "newest_rows": newest_rows}
    request |= {"base": base or None, "trends": trends}
    plan = {"cron": cron or None, "new_rows": new_rows, "drift": drift, "enabled": not disabled, "request": request}
    limits: dict[str, Any] = {"most_per_day": most_per_day, "least_new_rows": least_new_rows}
    limits |= {"minimum_interval_seconds": minimum_interval}
    with open_place(url, key) as place:
        show_json(place.set_schedule(model, plan | limits))


def show(model: str = MODEL, url: str = URL, key: str = KEY) -> None:
    """Show all that is known of a model's schedule, as JSON.

    Examples:
        perfcast schedules show cpu-utilization
    """
    with open_place(url, key) as place:
        show_json(place.schedule(model))


def remove(model: str = MODEL, url: str = URL, key: str = KEY) -> None:
    """Train a model no longer by itself; the history stays, and a job that runs goes on.

    Examples:
        perfcast schedules remove cpu-utilization
    """
    with open_place(url, key) as place:
        place.remove_schedule(model)
    say(f"{model}: no schedule any more")


def history(
    model: str = MODEL,
    limit: int = typer.Option(20, min=1, max=500, help="Most events."),
    as_json: bool = JSON,
    url: str = URL,
    key: str = KEY,
) -> None:
    """Show what a model's schedule did, newest first: why it fired or waited, and what the promotion gate said.

    Examples:
        perfcast schedules history cpu-utilization
        perfcast schedules history cpu-utilization --limit 5 --json
    """
    with open_place(url, key) as place:
        events = place.schedule_history(model, limit)
    columns = ("at (UTC)", "what", "trigger", "why", "job", "version", "result")
    show_list(columns, events, _event, empty=f"{model}: its schedule has done nothing yet", as_json=as_json)


def _event(event: dict[str, Any]) -> list[Any]:
    fields = ("kind", "trigger", "reason", "job_status", "model_version")
    return [event["at"][:19], *(event[name] for name in fields), event["outcome"] or event["error"] or ""]


def _row(schedule: dict[str, Any]) -> list[Any]:
    later, last = (schedule[name] and schedule[name][:19] for name in ("next_at", "last_fired_at"))
    fields = ("model_name", "enabled", "cron", "new_rows", "drift")
    return [*(schedule[name] for name in fields), later, last, schedule["held_back"]]
