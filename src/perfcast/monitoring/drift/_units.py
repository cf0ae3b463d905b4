"""A unit that changed: values jump by a power of ten from one hour to the next, and stay there."""

from perfcast.monitoring.drift._state import State

UNIT = "unit"
_NEAR = 0.15
"""How near a power of ten the factor's logarithm must be: two neighbouring hours differ by less, mostly."""
_OUT, _IN = 0.9, 0.5
"""Share of the rows that must lie at or beyond an end of what was trained, and below which all is as usual."""
_HOURS = 3


def other_unit(mean: float, before: float, at_ends: float) -> int:
    """The power of ten by which values have changed; 0 where they haven't.

    Args:
        mean: Mean of log10 |value| now.
        before: The same before.
        at_ends: Share of the rows in the outermost bins.
    """
    power = round(mean - before)
    return power if power and abs(mean - before - power) < _NEAR and at_ends >= _OUT else 0


def unit_changed(state: State, name: str, mean: float, usual: float, at_ends: float) -> int:
    """The power of ten by which a metric has jumped for some hours now; 0 where it hasn't.

    Args:
        state: Changed in place.
        name: Of the feature; empty for the cost.
        mean: Mean of log10 |value| in an hour that has ended.
        usual: The same in training, for the first hour of all.
        at_ends: Share of the hour's rows in the outermost bins.
    """
    key = f"{UNIT} {name}"
    power = state.powers.get(name, 0)
    if power and at_ends < _OUT:
        power = 0
    elif not power:
        power = other_unit(mean, state.levels.get(name, usual), at_ends)
    state.powers[name] = power
    state.beyond[key] = state.beyond.get(key, 0) + 1 if power else 0
    if not power and at_ends < _IN:
        state.levels[name] = mean
    return power if state.beyond[key] >= _HOURS else 0
