"""Consequences: whether errors have grown and intervals hold less, hour by hour."""

from perfcast.manifest import DEFAULT_COVERAGE, Chart, Reference
from perfcast.monitoring.drift._alarms import alarm_of, calm, name_of, raise_alarm
from perfcast.monitoring.drift._charts import LEAST_ROWS, step
from perfcast.monitoring.drift._state import COST, Hour, Kind, Means, State
from perfcast.monitoring.drift._units import UNIT, unit_changed

_RECENT = 6
"""Hours that words are about."""
_OVERSHOOT = 1.25
"""A sum goes no further beyond its threshold, so that an alarm can end."""
_ENDS = 0.5
"""An alarm ends when the sum has fallen to this share of its threshold."""
_ONE_WAY = 0.6
"""Share of the error that must have one sign for it to be called a bias."""


def close_outcomes(state: State, reference: Reference, hour: str, budget: str, *, relative: bool) -> None:
    """Judge an hour whose actuals have come, together with earlier ones that were too few.

    Args:
        state: Changed in place.
        reference: What is usual.
        hour: When it begins.
        budget: Which thresholds hold.
        relative: Whether errors are shares of the true cost.
    """
    held = state.outcomes.pop(hour)
    state.closed_outcomes = hour
    state.pending.add(held)
    block = state.pending
    if block.rows < LEAST_ROWS:
        return
    state.pending = Hour()
    missed = block.misses / block.intervals if block.intervals else 0.0
    now = Means(block.error / block.rows, block.signed / block.rows, missed)
    state.recent = [*state.recent, now][-_RECENT:]
    judge(state, reference.errors, "error", hour, now.error, budget, _error_words(state, reference, relative=relative))
    if reference.misses is not None and block.intervals >= LEAST_ROWS:
        judge(state, reference.misses, "coverage", hour, missed, budget, _coverage_words(state))
    _unit_of_cost(state, reference, hour, block)
    _unexplained(state, hour, relative=relative)


def judge(
    state: State, chart: Chart, kind: Kind, hour: str, mean: float, budget: str, words: str, *, feature: str = COST
) -> None:
    """Add an hour to a chart, and begin or end its alarm."""
    name, threshold = name_of(kind, feature), chart.thresholds[budget]
    total = min(step(chart, state.sums.get(name, 0.0), mean), _OVERSHOOT * threshold)
    alarmed = name in state.alarms
    if total >= threshold or (alarmed and total >= _ENDS * threshold):
        raise_alarm(state, kind, feature, hour, total / threshold, words)
    elif alarmed:
        calm(state, kind, feature, hours=1)
    state.sums[name] = total


def score(state: State, chart: Chart, kind: Kind, budget: str, *, feature: str = COST) -> float:
    """A chart's sum ÷ its threshold."""
    return state.sums.get(name_of(kind, feature), 0.0) / chart.thresholds[budget]


def _error_words(state: State, reference: Reference, *, relative: bool) -> str:
    last = state.recent
    mean, usual = sum(one.error for one in last) / len(last), reference.errors.usual
    shown = (f"{100 * mean:.3g} %", f"{100 * usual:.3g} %") if relative else (f"{mean:.3g}", f"{usual:.3g}")
    return f"mean error {shown[0]} in the last {len(last)} hours, {mean / usual:.1f} times what is usual ({shown[1]})"


def _coverage_words(state: State) -> str:
    last = state.recent
    held = 100 * (1 - sum(one.missed for one in last) / len(last))
    return f"intervals held {held:.0f} % in the last {len(last)} hours, not {100 * DEFAULT_COVERAGE:.0f} %"


def _unexplained(state: State, hour: str, *, relative: bool) -> None:
    """The cost has moved although the inputs are where they were."""
    error, signed = sum(one.error for one in state.recent), sum(one.signed for one in state.recent)
    alarmed = "error" in state.alarms or "coverage" in state.alarms
    one_way = error > 0 and abs(signed) >= _ONE_WAY * error
    explained = any(alarm.kind == "inputs" for alarm in state.alarms.values())
    if not (alarmed and one_way) or explained:
        calm(state, "unexplained", COST, hours=1)
        return
    mean = signed / len(state.recent)
    by = f"{100 * abs(mean):.0f} %" if relative else f"{abs(mean):.3g}"
    more = "more" if signed > 0 else "less"
    words = f"the cost is {by} {more} than its inputs explain, and they are where they were"
    raise_alarm(state, "unexplained", COST, hour, 1.0, words)


def _unit_of_cost(state: State, reference: Reference, hour: str, block: Hour) -> None:
    known = block.nonzero.get(COST, 0)
    if reference.cost_scale is None or known < LEAST_ROWS:
        return
    # every row far off in one direction is what another unit does to errors
    far_off = block.error >= 3 * reference.errors.usual * block.rows and abs(block.signed) >= 0.9 * block.error
    power = unit_changed(state, COST, block.logs[COST] / known, reference.cost_scale, 1.0 if far_off else 0.0)
    if power:
        words = f"actuals are about 10^{power} times what they were: has their {UNIT} changed?"
        raise_alarm(state, "quality", COST, hour, 1.0, words)
    elif (alarm := alarm_of(state, "quality")) is not None and UNIT in alarm.words:
        calm(state, "quality", COST, hours=1)
