"""A metric that stands still while others move, and actuals that do."""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from perfcast.monitoring.drift._alarms import alarm_of, calm, raise_alarm
from perfcast.monitoring.drift._state import Run, State

STILL = "stands still"
_TIMES = 5
"""How much longer than in training a value must be repeated."""
_LEAST = 60
_LASTING = timedelta(hours=1)


def longest_run(values: npt.NDArray[np.floating]) -> int:
    """How many values in a row are equal at most."""
    changes = np.flatnonzero(values[1:] != values[:-1])
    return int(np.diff(np.concatenate([[-1], changes, [len(values) - 1]])).max()) if len(values) else 0


def repeated(
    state: State,
    feature: str,
    values: npt.NDArray[np.floating],
    others: npt.NDArray[np.floating],
    at: str,
    longest: int,
) -> None:
    """Take note of values in order of time; an alarm where one was repeated far longer than in training.

    Args:
        state: Changed in place.
        feature: Whose values they are; empty for the cost.
        values: Float [rows].
        others: Float [rows, n], what else moves: where nothing does, the same is asked again and again.
        at: When the last one was: ISO 8601.
        longest: How often a value was repeated in training at most.
    """
    changes = np.flatnonzero(values[1:] != values[:-1])
    first = int(changes[-1]) + 1 if len(changes) else 0
    value, count, last = float(values[-1]), len(values) - first, float(others[-1].sum())
    moved = bool((others[first:] != others[first]).any())
    run = state.runs.get(feature)
    if run is None or first or run.value != value:
        state.runs[feature] = Run(value, count, at, last, moved)
        _moves(state, feature)
        return
    run.count += count
    run.moved = run.moved or moved or run.others != last
    limit = max(_LEAST, _TIMES * longest)
    if not run.moved or run.count < limit:
        return
    if datetime.fromisoformat(at) - datetime.fromisoformat(run.since) >= _LASTING:
        name = feature or "the actual"
        words = f"{name} {STILL} at {value:.6g} for {run.count:,} rows; in training it did for {longest:,} at most"
        raise_alarm(state, "quality", feature, run.since, run.count / limit, words)


def _moves(state: State, feature: str) -> None:
    alarm = alarm_of(state, "quality", feature)
    if alarm is not None and STILL in alarm.words:
        calm(state, "quality", feature, hours=1)
