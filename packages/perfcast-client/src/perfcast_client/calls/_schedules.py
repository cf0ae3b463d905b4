"""Continuous training."""

from collections.abc import Mapping
from typing import Any

from perfcast_client._call import Call, Repeat, given, json, part, reading
from perfcast_client.answers import ScheduleEntry, ScheduleHistory, ScheduleList


def list_schedules() -> Call[ScheduleList]:
    """Every model's schedule: its triggers, its last run, and why it waits if it does."""
    return Call("GET", "/schedules", reading(ScheduleList))


def get_schedule(model: str) -> Call[ScheduleEntry]:
    """When a model is trained anew, and its last run."""
    return Call("GET", _of(model), reading(ScheduleEntry))


def set_schedule(
    model: str,
    *,
    cron: str | None = None,
    new_rows: int | None = None,
    drift: bool | None = None,
    enabled: bool | None = None,
    minimum_interval_seconds: float | None = None,
    most_per_day: int | None = None,
    least_new_rows: int | None = None,
    request: Mapping[str, Any] | None = None,
) -> Call[ScheduleEntry]:
    """Make or replace a model's schedule; what is None has its default. At least one trigger is needed.

    Args:
        model: Which is trained anew.
        cron: Trigger: five fields, in the service's time zone.
        new_rows: Trigger: so many more rows than the last run learnt from.
        drift: Trigger: monitoring signals drift or lost accuracy.
        enabled: Whether it fires at all.
        minimum_interval_seconds: Least seconds from one run to the next.
        most_per_day: Most runs that signals alone begin within 24 hours.
        least_new_rows: So many more rows must there be for a signal alone to begin a run.
        request: How to train, as `train` takes it.
    """
    plan = given(
        cron=cron,
        new_rows=new_rows,
        drift=drift,
        enabled=enabled,
        minimum_interval_seconds=minimum_interval_seconds,
        most_per_day=most_per_day,
        least_new_rows=least_new_rows,
        request=request,
    )
    return Call("PUT", _of(model), reading(ScheduleEntry), body=json(plan))


def remove_schedule(model: str) -> Call[None]:
    """Train the model no longer by itself; a job that is queued or running goes on."""
    return Call("DELETE", _of(model), lambda _: None, repeat=Repeat.UNSENT)


def schedule_history(model: str, *, limit: int = 50) -> Call[ScheduleHistory]:
    """When it fired and why, which job and what the promotion gate said, or why it was held back."""
    return Call("GET", f"{_of(model)}/history", reading(ScheduleHistory), query={"limit": limit})


def _of(model: str) -> str:
    return f"/schedules/{part(model)}"
