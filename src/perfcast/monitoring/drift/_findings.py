"""What watching has come to, as `GET /models/{ref}/drift` shows it."""

from typing import Any

import msgspec

from perfcast.manifest import Reference
from perfcast.monitoring.drift._alarms import alarm_of
from perfcast.monitoring.drift._arrivals import OUTSIDE
from perfcast.monitoring.drift._outcomes import score
from perfcast.monitoring.drift._state import COST, KINDS, Kind, State

PAGING: tuple[Kind, ...] = ("error", "coverage")
"""Consequences: with these, and where the actuals themselves can't be right, somebody should look."""


NOTHING: dict[str, Any] = {
    "version": None,
    "watched_since": None,
    "state": dict.fromkeys(KINDS, False),
    "alarms": dict.fromkeys(KINDS, 0),
    "findings": [],
    "inputs_until": None,
    "actuals_until": None,
    "alarms_per_week": None,
    "method": None,
}
"""`document` of what isn't watched."""


class Finding(msgspec.Struct):
    """One thing that is watched.

    Attributes:
        kind: What it is about.
        feature: Of which; None for the cost.
        score: What was measured ÷ its threshold.
        alarm: Whether it is beyond, and was for long enough.
        pages: Whether somebody should be woken by it.
        since: When the alarm began, ISO 8601; None without one.
        words: What was found; empty while all is as usual.
    """

    kind: Kind
    feature: str | None
    score: float
    alarm: bool = False
    pages: bool = False
    since: str | None = None
    words: str = ""


def findings_of(state: State, reference: Reference, budget: str) -> list[Finding]:
    """Everything that is watched, alarms first."""
    measured: list[tuple[Kind, str, float]] = [("error", COST, score(state, reference.errors, "error", budget))]
    if reference.misses is not None:
        measured.append(("coverage", COST, score(state, reference.misses, "coverage", budget)))
    measured += [("inputs", name, far) for name, far in state.scores.items()]
    measured.append(("inputs", OUTSIDE, score(state, reference.outside, "inputs", budget, feature=OUTSIDE)))
    found = [_finding(state, kind, feature, far) for kind, feature, far in measured]
    told = {(kind, feature) for kind, feature, _ in measured}
    found += [
        _finding(state, alarm.kind, alarm.feature, alarm.score)
        for alarm in state.alarms.values()
        if (alarm.kind, alarm.feature) not in told
    ]
    return sorted(found, key=lambda one: (not one.alarm, not one.pages, KINDS.index(one.kind), -one.score))


def document(state: State, reference: Reference, budget: str) -> dict[str, Any]:
    """All of it as plain data."""
    return {
        "version": state.version,
        "watched_since": state.since,
        "state": {kind: any(alarm.kind == kind for alarm in state.alarms.values()) for kind in KINDS},
        "alarms": {kind: state.begun.get(kind, 0) for kind in KINDS},
        "findings": msgspec.to_builtins(findings_of(state, reference, budget)),
        "inputs_until": state.closed_inputs or None,
        "actuals_until": state.closed_outcomes or None,
        "alarms_per_week": float(budget),
        "method": reference.method,
    }


def _finding(state: State, kind: Kind, feature: str, far: float) -> Finding:
    alarm = alarm_of(state, kind, feature)
    if alarm is None:
        return Finding(kind, feature or None, round(far, 4))
    return Finding(
        kind,
        feature or None,
        round(max(far, alarm.score), 4),
        alarm=True,
        pages=kind in PAGING,
        since=alarm.since,
        words=alarm.words,
    )
