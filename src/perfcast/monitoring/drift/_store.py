"""All SQL of drift: each function does its part inside the caller's transaction."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from perfcast.monitoring.drift._bursts import Anomaly
from perfcast.monitoring.drift._findings import NOTHING
from perfcast.monitoring.drift._inputs import Counts
from perfcast.monitoring.drift._state import State
from perfcast.storage import insert_new, insert_or_replace, later, now, schema

_WINDOW, _WATCHED, _ANOMALY = schema.input_window, schema.watched, schema.anomaly
KEPT_DAYS = 35
"""Days of hourly counts that are kept."""


def read_state(connection: sa.Connection, model: str) -> State | None:
    """What watching a model goes on from; None where it hasn't begun, or was written by another release."""
    held = connection.execute(sa.select(_WATCHED.c.state).where(_WATCHED.c.model == model)).scalar()
    try:
        return None if held is None else msgspec.convert(held, State)
    except msgspec.ValidationError:
        return None


def write_state(connection: sa.Connection, model: str, state: State, findings: Mapping[str, Any]) -> None:
    """Keep it with what it has come to."""
    held = {"updated_at": now(), "state": msgspec.to_builtins(state), "findings": dict(findings)}
    insert_or_replace(connection, _WATCHED, {"model": model, **held})


def add_counts(connection: sa.Connection, model: str, version: int, hour: str, rows: int, counts: Counts) -> None:
    """Add to an hour's counts."""
    same = (_WINDOW.c.model == model) & (_WINDOW.c.version == version) & (_WINDOW.c.at == hour)
    given = {"rows": rows, "counts": {name: list(held) for name, held in counts.items()}}
    if insert_new(connection, _WINDOW, {"model": model, "version": version, "at": hour, **given}):
        return
    present = connection.execute(sa.select(_WINDOW.c.rows, _WINDOW.c.counts).where(same)).one()
    summed = {
        name: [one + other for one, other in zip(held, present.counts.get(name, [0] * len(held)), strict=True)]
        for name, held in counts.items()
    }
    connection.execute(sa.update(_WINDOW).where(same).values(rows=present.rows + rows, counts=summed))


def day_of_counts(connection: sa.Connection, model: str, version: int, hour: str) -> list[Counts]:
    """The counts of the 24 hours that end with this one, of those that have some, oldest first."""
    first = later(hour, timedelta(hours=-23))
    query = sa.select(_WINDOW.c.counts).where(
        _WINDOW.c.model == model, _WINDOW.c.version == version, _WINDOW.c.at >= first, _WINDOW.c.at <= hour
    )
    return list(connection.execute(query.order_by(_WINDOW.c.at)).scalars())


def forget_counts(connection: sa.Connection, model: str, hour: str) -> None:
    """Delete counts that are too old to be kept at this hour."""
    old = later(hour, timedelta(days=-KEPT_DAYS))
    connection.execute(sa.delete(_WINDOW).where(_WINDOW.c.model == model, _WINDOW.c.at < old))


def add_anomaly(connection: sa.Connection, model: str, anomaly: Anomaly) -> None:
    """Keep a stretch of time that isn't learnt from."""
    connection.execute(sa.insert(_ANOMALY).values(model=model, **anomaly._asdict()))


def read_anomalies(connection: sa.Connection, model: str) -> list[Anomaly]:
    """Stretches of time that a model isn't taught, oldest first."""
    columns = (_ANOMALY.c.first_at, _ANOMALY.c.last_at, _ANOMALY.c.reason)
    query = sa.select(*columns).where(_ANOMALY.c.model == model).order_by(_ANOMALY.c.first_at)
    return [Anomaly(*row) for row in connection.execute(query)]


def read_findings(connection: sa.Connection, model: str) -> dict[str, Any] | None:
    """What watching a model has come to, with `updated_at`; None where it hasn't begun."""
    query = sa.select(_WATCHED.c.updated_at, _WATCHED.c.findings).where(_WATCHED.c.model == model)
    row = connection.execute(query).one_or_none()
    return None if row is None else {**row.findings, "updated_at": row.updated_at}


def read_all_findings(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    """The same of every model that is watched, by its name; for metrics."""
    rows = connection.execute(sa.select(_WATCHED.c.model, _WATCHED.c.findings).order_by(_WATCHED.c.model))
    return {row.model: row.findings for row in rows}


def describe_drift(
    connection: sa.Connection, model: str, *, version: int | None = None, anomalies: int = 20
) -> dict[str, Any]:
    """The same with the newest anomalies; complete also where nothing is watched, with a `note` that says why.

    Args:
        connection: To the database.
        model: Whose.
        version: The one that was asked for, which may be another than is watched; None: the one that is watched.
        anomalies: How many at most.
    """
    found = read_findings(connection, model)
    note = None
    if found is not None and version not in (None, found["version"]):
        note = f"version {version} is not watched: what the champion answers is, at present version {found['version']}"
        found = {"updated_at": None, **NOTHING}
    elif found is None:
        found = {"updated_at": None, **NOTHING}
        note = (
            "nothing is watched: the champion has answered nothing since, no worker runs, or the champion was uploaded "
            "or trained by an older release, and has no reference of what is usual; one that is trained now has"
        )
    newest = read_anomalies(connection, model)[: -anomalies - 1 : -1]
    return {**found, "anomalies": [one._asdict() for one in newest], "note": note}
