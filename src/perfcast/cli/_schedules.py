"""`perfcast schedules`: when models are trained anew, in the registry's own database or on a server."""

from typing import Any

import typer

from perfcast.cli._address import KEY, URL


def register(app: typer.Typer) -> None:
    """Add the commands."""
    schedules = typer.Typer(
        help="Continuous training: by the clock, with new rows, on drift. Workers look after it.", no_args_is_help=True
    )
    schedules.command("list")(list_schedules)
    schedules.command("set")(set_schedule)
    schedules.command("show")(show)
    schedules.command("remove")(remove)
    schedules.command("history")(history)
    app.add_typer(schedules, name="schedules")


def list_schedules(
    as_json: bool = typer.Option(False, "--json", help="All there is to know, as JSON."), url: str = URL, key: str = KEY
) -> None:
    """List the schedules: triggers, the last run, and why one waits.

    Examples:

        perfcast schedules list

        perfcast schedules list --json --url http://localhost:8000
    """
    from perfcast.cli._output import show_json, show_table
    from perfcast.cli._schedule_places import open_schedules

    with open_schedules(url, key) as schedules:
        found = schedules.every()
    if as_json:
        show_json(found)
        return
    columns = ("model", "enabled", "cron", "new rows", "drift", "next (UTC)", "last fired (UTC)", "waits because")
    show_table(columns, [_row(schedule) for schedule in found])


def set_schedule(
    model: str,
    cron: str = typer.Option("", help="Minute, hour, day, month, weekday, in SERVICE_TIMEZONE."),
    new_rows: int | None = typer.Option(None, min=1, help="So many more rows than the last run learnt from."),
    drift: bool = typer.Option(False, "--drift", help="When monitoring signals drift or lost accuracy."),
    minimum_interval: float = typer.Option(3600, min=1, help="Least seconds from one run to the next."),
    dataset: str = typer.Option("", help="Line of rows to learn from; the model's own if not given."),
    families: str = typer.Option("", help="Comma-separated; all if not given."),
    trials: int = typer.Option(20, min=1, help="Most trials of the search."),
    timeout: float | None = typer.Option(None, min=1, help="Most seconds of training."),
    seed: int = typer.Option(0, help="Of the search."),
    promote: str = typer.Option("auto", help="auto: the gate decides; never: leave the champion alone."),
    disabled: bool = typer.Option(False, "--disabled", help="Keep it, but don't fire."),
    url: str = URL,
    key: str = KEY,
) -> None:
    """Make a model's schedule, or replace it whole. At least one trigger is needed.

    Examples:

        perfcast schedules set cpu-utilization --cron "0 3 * * *"

        perfcast schedules set cpu-utilization --new-rows 5000 --drift --trials 50 --timeout 600

        perfcast schedules set cpu-utilization --cron "0 3 * * mon-fri" --promote never --url http://localhost:8000
    """
    from perfcast.cli._output import show_json
    from perfcast.cli._schedule_places import open_schedules

    names = [name.strip() for name in families.split(",") if name.strip()]
    request: dict[str, Any] = {"n_trials": trials, "families": names, "seed": seed, "promote": promote}
    request |= {"dataset": dataset or None, "timeout_seconds": timeout}
    plan = {"cron": cron or None, "new_rows": new_rows, "drift": drift, "enabled": not disabled, "request": request}
    with open_schedules(url, key) as schedules:
        show_json(schedules.put(model, plan | {"minimum_interval_seconds": minimum_interval}))


def show(model: str, url: str = URL, key: str = KEY) -> None:
    """Show all that is known of a model's schedule, as JSON.

    Examples:

        perfcast schedules show cpu-utilization
    """
    from perfcast.cli._output import show_json
    from perfcast.cli._schedule_places import open_schedules

    with open_schedules(url, key) as schedules:
        show_json(schedules.show(model))


def remove(model: str, url: str = URL, key: str = KEY) -> None:
    """Train a model no longer by itself; the history stays, and a job that runs goes on.

    Examples:

        perfcast schedules remove cpu-utilization
    """
    from perfcast.cli._output import say
    from perfcast.cli._schedule_places import open_schedules

    with open_schedules(url, key) as schedules:
        schedules.remove(model)
    say(f"{model}: no schedule any more")


def history(
    model: str,
    limit: int = typer.Option(20, min=1, max=500, help="Most events."),
    as_json: bool = typer.Option(False, "--json", help="All there is to know, as JSON."),
    url: str = URL,
    key: str = KEY,
) -> None:
    """Show what a model's schedule did, newest first: why it fired or waited, and what the promotion gate said.

    Examples:

        perfcast schedules history cpu-utilization

        perfcast schedules history cpu-utilization --limit 5 --json
    """
    from perfcast.cli._output import show_json, show_table
    from perfcast.cli._schedule_places import open_schedules

    with open_schedules(url, key) as schedules:
        events = schedules.history(model, limit)
    if as_json:
        show_json(events)
        return
    names = ("kind", "trigger", "reason", "job_status", "model_version")
    rows = [[event["at"][:19], *(event[name] for name in names), _result(event)] for event in events]
    show_table(("at (UTC)", "what", "trigger", "why", "job", "version", "result"), rows)


def _result(event: dict[str, Any]) -> str:
    return event["outcome"] or event["error"] or ""


def _row(schedule: dict[str, Any]) -> list[Any]:
    later, last = (schedule[name] and schedule[name][:19] for name in ("next_at", "last_fired_at"))
    names = ("model_name", "enabled", "cron", "new_rows", "drift")
    return [*(schedule[name] for name in names), later, last, schedule["held_back"]]
