"""All SQL of schedules: each function does its part inside the caller's transaction."""

from collections.abc import Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from perfcast.jobs.queue import UNFINISHED
from perfcast.jobs.schedules._schedule import SIGNALS, Plan, Schedule
from perfcast.storage import insert_new, now, schema

_SCHEDULE, _EVENT, _JOB = schema.schedule, schema.schedule_event, schema.job
KEPT_EVENTS = 1000
"""The newest events of each model; older ones are deleted as new ones come, those that began a job excepted."""
_UNHEARD: dict[str, Any] = {"signal": None, "signal_reason": None}
_FRESH: dict[str, Any] = {**_UNHEARD, "held_back": None}


def find(connection: sa.Connection, model: str) -> Schedule | None:
    """A model's schedule."""
    row = connection.execute(sa.select(_SCHEDULE).where(_SCHEDULE.c.model == model)).one_or_none()
    return None if row is None else _schedule(row)


def every(connection: sa.Connection) -> list[Schedule]:
    """All schedules, sorted by model."""
    return [_schedule(row) for row in connection.execute(sa.select(_SCHEDULE).order_by(_SCHEDULE.c.model))]


def keep(connection: sa.Connection, model: str, plan: Plan, at: str) -> None:
    """Make or change a schedule; one that says the same already is left as it is, so that cron counts on.

    A signal that waits stays, unless the schedule listens to signals no longer.
    """
    given = msgspec.to_builtins(plan)
    if insert_new(connection, _SCHEDULE, {"model": model, "updated_at": at, **given, **_FRESH}):
        return
    present = find(connection, model)
    if present is None or present.plan != plan:
        changed = {**given, "held_back": None, "updated_at": at} | ({} if plan.drift else _UNHEARD)
        connection.execute(sa.update(_SCHEDULE).where(_SCHEDULE.c.model == model).values(**changed))


def remove(connection: sa.Connection, model: str) -> None:
    """Delete a schedule; its history stays."""
    connection.execute(sa.delete(_SCHEDULE).where(_SCHEDULE.c.model == model))


def note_signal(connection: sa.Connection, model: str, kind: str, reason: str) -> bool:
    """Leave a signal with a schedule that listens, if one does; the history notes it once until it is acted on."""
    listening = (_SCHEDULE.c.model == model) & _SCHEDULE.c.drift & _SCHEDULE.c.enabled
    first = (
        sa.update(_SCHEDULE).where(listening, _SCHEDULE.c.signal.is_(None)).values(signal=kind, signal_reason=reason)
    )
    if connection.execute(first).rowcount == 1:
        add_event(connection, model, "signal", kind, reason, at=now())
        return True
    return connection.execute(sa.select(_SCHEDULE.c.model).where(listening)).first() is not None


def unfinished_job(connection: sa.Connection, model: str, *, but: str = "") -> tuple[str, str] | None:
    """Id and status of a job of the model that is queued or running, but for one."""
    query = sa.select(_JOB.c.id, _JOB.c.status).where(
        _JOB.c.model == model, _JOB.c.status.in_(sorted(UNFINISHED)), _JOB.c.id != but
    )
    row = connection.execute(query.order_by(_JOB.c.id).limit(1)).first()
    return None if row is None else (row.id, row.status)


def fire(connection: sa.Connection, seen: Schedule, last: Mapping[str, Any]) -> bool:
    """Note a run, if the schedule is still as it was seen: of several schedulers one gets True."""
    return connection.execute(_unchanged(seen).values(**last, **_FRESH)).rowcount == 1


def fired_by_signals(connection: sa.Connection, model: str, after: str) -> int:
    """How many runs signals have begun since then."""
    query = sa.select(sa.func.count()).where(
        _EVENT.c.model == model, _EVENT.c.kind == "fired", _EVENT.c.trigger.in_(SIGNALS), _EVENT.c.at > after
    )
    return connection.execute(query).scalar_one()


def hold_back(connection: sa.Connection, seen: Schedule, why: str) -> bool:
    """Note why a schedule waits; True where that is news."""
    different = _SCHEDULE.c.held_back.is_distinct_from(why)
    return connection.execute(_unchanged(seen).where(different).values(held_back=why)).rowcount == 1


def add_event(
    connection: sa.Connection, model: str, kind: str, trigger: str, reason: str, *, at: str, job: str | None = None
) -> None:
    """Add to the history, which forgets what is beyond the newest `KEPT_EVENTS` of the model, but not what fired."""
    values = {"model": model, "at": at, "kind": kind, "trigger": trigger, "reason": reason, "job": job}
    connection.execute(sa.insert(_EVENT).values(**values))
    newest = sa.select(_EVENT.c.id).where(_EVENT.c.model == model).order_by(_EVENT.c.id.desc())
    first_too_old = newest.offset(KEPT_EVENTS).limit(1).scalar_subquery()
    connection.execute(
        sa.delete(_EVENT).where(_EVENT.c.model == model, _EVENT.c.id <= first_too_old, _EVENT.c.kind != "fired")
    )


def fired_counts(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """How often a job was begun, by model and trigger; never falls. 0 as soon as a schedule has the trigger."""
    counts = {(one.model, trigger): 0 for one in every(connection) for trigger in _triggers(one.plan)}
    query = sa.select(_EVENT.c.model, _EVENT.c.trigger, sa.func.count()).where(_EVENT.c.kind == "fired")
    rows = connection.execute(query.group_by(_EVENT.c.model, _EVENT.c.trigger))
    return counts | {(model, trigger): count for model, trigger, count in rows}


def _triggers(plan: Plan) -> list[str]:
    """By what the plan's jobs may be begun."""
    given = {"cron": plan.cron is not None, "new_rows": plan.new_rows is not None}
    return [trigger for trigger, wanted in given.items() if wanted] + [*SIGNALS] * plan.drift


def history(connection: sa.Connection, model: str, limit: int) -> list[dict[str, Any]]:
    """Events newest first, of one model or of all, each with what became of its job, as the HTTP contract has it."""
    columns = [
        *(_EVENT.c.model.label("model_name"), _EVENT.c.job.label("job_id")),
        *(_EVENT.c[name] for name in ("at", "kind", "trigger", "reason")),
        *(_JOB.c.status.label("job_status"), _JOB.c.model_version),
        *(sa.func.nullif(_JOB.c.outcome, "").label("outcome"), _JOB.c.error),
    ]
    query = sa.select(*columns).select_from(_EVENT.outerjoin(_JOB, _EVENT.c.job == _JOB.c.id))
    if model:
        query = query.where(_EVENT.c.model == model)
    rows = connection.execute(query.order_by(_EVENT.c.id.desc()).limit(limit))
    return [dict(row) for row in rows.mappings()]


def _unchanged(seen: Schedule) -> sa.Update:
    return sa.update(_SCHEDULE).where(
        _SCHEDULE.c.model == seen.model,
        _SCHEDULE.c.updated_at == seen.updated_at,
        _SCHEDULE.c.last_fired_at.is_not_distinct_from(seen.last_fired_at),
    )


def _schedule(row: sa.Row[Any]) -> Schedule:
    kept = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    plan = msgspec.convert({name: kept.pop(name) for name in Plan.__struct_fields__}, Plan)
    return Schedule(plan=plan, **kept)
