"""Inputs: whether a day of them is like training, whether they can be right, how many are outside what was learnt."""

from collections.abc import Sequence

import numpy as np

from perfcast.manifest import InputReference, Reference
from perfcast.monitoring.drift._alarms import alarm_of, calm, raise_alarm
from perfcast.monitoring.drift._charts import LEAST_ROWS
from perfcast.monitoring.drift._inputs import LEAST_DAY_ROWS, Counts, distance
from perfcast.monitoring.drift._outcomes import judge
from perfcast.monitoring.drift._state import Hour, State
from perfcast.monitoring.drift._stuck import STILL
from perfcast.monitoring.drift._units import UNIT, unit_changed

OUTSIDE, WIDTH = "(extrapolated)", "(interval width)"
_PERSISTENCE = 6
"""Hours in a row that a day must have been unlike training."""
_LEAST_HOURS = 20
"""Hours of a day that must have some: a day is compared whole."""
_MISSING = 0.05
_WIDE = 2.0
"""Times the usual width that intervals must have."""


def close_inputs(state: State, reference: Reference, hour: str, day: Sequence[Counts], budget: str) -> None:
    """Judge the 24 hours that end with an hour whose predictions have come.

    Args:
        state: Changed in place.
        reference: What is usual.
        hour: When it begins.
        day: The counts of those hours that have some, oldest first.
        budget: Which thresholds hold.
    """
    held = state.inputs.pop(hour)
    state.closed_inputs = hour
    if held.rows >= LEAST_ROWS:
        _outside(state, reference, hour, held, budget)
        _widths(state, reference, hour, held)
        for name, item in reference.inputs.items():
            _quality(state, name, item, hour, held, day[-1].get(name, ()))
    for name, item in reference.inputs.items():
        _unlike(state, name, item, hour, [one[name] for one in day if name in one], budget)


def _unlike(
    state: State, name: str, item: InputReference, hour: str, day: Sequence[Sequence[int]], budget: str
) -> None:
    counts = np.sum(day, axis=0) if day else np.zeros(1, dtype=np.int64)
    if len(day) < _LEAST_HOURS or counts.sum() < LEAST_DAY_ROWS:
        return  # too little to say anything
    far, threshold = distance(counts, item.shares), item.thresholds[budget]
    state.scores[name] = far / threshold
    if far < threshold:
        state.beyond[name] = 0
        calm(state, "inputs", name)
        return
    state.beyond[name] = state.beyond.get(name, 0) + 1
    if state.beyond[name] >= _PERSISTENCE:
        words = f"{name} of the last 24 hours is unlike training: {_where(counts, item)}"
        raise_alarm(state, "inputs", name, hour, far / threshold, words)


def _where(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]], item: InputReference) -> str:
    """Where most of the rows are that were elsewhere in training."""
    shares = counts / counts.sum()
    low, high = shares[0], shares[-1]
    if low + high >= 0.1:
        return f"{100 * (low + high):.0f} % of it is outside {item.edges[0]:.4g} to {item.edges[-1]:.4g}"
    median = int(np.searchsorted(np.cumsum(shares), 0.5))
    learnt = int(np.searchsorted(np.cumsum(item.shares), 0.5))
    middle, before = (item.edges[min(max(at - 1, 0), len(item.edges) - 1)] for at in (median, learnt))
    return f"its median is about {middle:.4g}, and was {before:.4g}"


def _outside(state: State, reference: Reference, hour: str, held: Hour, budget: str) -> None:
    share, usual = held.outside / held.rows, reference.outside.usual
    words = f"{100 * share:.0f} % of the rows are outside what was learnt ({100 * usual:.0f} % of held-out rows were)"
    judge(state, reference.outside, "inputs", hour, share, budget, words, feature=OUTSIDE)


def _widths(state: State, reference: Reference, hour: str, held: Hour) -> None:
    if reference.width is None or held.intervals < LEAST_ROWS or reference.width <= 0:
        return
    times = held.width / held.intervals / reference.width
    state.scores[WIDTH] = times / _WIDE
    state.beyond[WIDTH] = state.beyond.get(WIDTH, 0) + 1 if times >= _WIDE else 0
    if state.beyond[WIDTH] >= _PERSISTENCE:
        words = f"intervals are {times:.1f} times as wide as on held-out rows"
        raise_alarm(state, "inputs", WIDTH, hour, times / _WIDE, words)
    elif times < _WIDE:
        calm(state, "inputs", WIDTH)


def _quality(state: State, name: str, item: InputReference, hour: str, held: Hour, counts: Sequence[int]) -> None:
    missing = held.missing.get(name, 0) / held.rows
    known, total, power = held.nonzero.get(name, 0), sum(counts), 0
    if item.scale is not None and known >= LEAST_ROWS and total:
        at_ends = (counts[0] + counts[-1] + max(counts[1], counts[-2])) / total
        power = unit_changed(state, name, held.logs[name] / known, item.scale, at_ends)
    if missing >= _MISSING:
        raise_alarm(state, "quality", name, hour, missing / _MISSING, f"{100 * missing:.0f} % of {name} is missing")
    elif power:
        words = f"{name} is about 10^{power} times what it was: has its {UNIT} changed?"
        raise_alarm(state, "quality", name, hour, 1.0, words)
    elif (alarm := alarm_of(state, "quality", name)) is not None and STILL not in alarm.words:
        calm(state, "quality", name, hours=1)
