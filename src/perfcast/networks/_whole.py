"""From the times of calls alone to the time of a whole network: what measured networks teach.

Calls in a network don't take what they take alone: weights come from further away, an interpreter stands between
calls, and errors of layers of one kind are alike. So the sum is calibrated on networks that were measured whole on the
device: a coefficient for each of `TERMS`, never negative, held near "the sum is right" unless the measured ones say
otherwise. How far it is off for a network that it hasn't seen gives the interval.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from perfcast.networks._estimate import Column

_PRIOR = (1.0, 1.0, 0.5, 1.0, 0.0, 0.0, 0.0)
_HELD = (0.2, 0.2, 0.3, 0.2, 5e-3, 2e-2, 2e-2)
"""How far a coefficient usually is from the prior, in its own unit; each counts as much as one measured network that is
off by `_ERROR`."""
_ERROR = 0.1
FEWEST = 8
"""So many different networks must have been measured."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A network that was measured whole: its terms, float64 [TERMS], and its time in ms."""

    network: str
    batch_size: int
    terms: Column
    ms: float


@dataclass(frozen=True, slots=True)
class Whole:
    """How a device puts calls together.

    Attributes:
        coefficients: One for each of `TERMS`.
        errors: How far it was off for each measured network when that one was left out, sorted: |ln(true / told)|.
        networks: How many different networks it was learnt from.
    """

    coefficients: tuple[float, ...]
    errors: tuple[float, ...]
    networks: int

    def each(self, terms: Column) -> Column:
        """What each call takes within its network, ms: float64 [calls]."""
        times: Column = terms @ np.array(self.coefficients)
        return times

    def spread(self, coverage: float) -> float:
        """By which factor the true time may be off, either way, with that coverage.

        Beyond what so many errors can tell, the largest is widened as a normal distribution's would be.
        """
        count = len(self.errors)
        rank = math.ceil((count + 1) * coverage)
        if rank <= count:
            return math.exp(self.errors[rank - 1])
        reached = count / (count + 1)
        return math.exp(self.errors[-1] * _two_sided(coverage) / _two_sided(reached))


def learn_whole(measured: Sequence[Measured]) -> Whole | None:
    """The coefficients of a device; None where fewer than `FEWEST` networks were measured."""
    names = {item.network for item in measured}
    if len(names) < FEWEST:
        return None
    errors = []
    for name in names:
        others = _fit([item for item in measured if item.network != name])
        left_out = [item for item in measured if item.network == name]
        errors += [abs(math.log(item.ms / max(float(item.terms @ others), 1e-9))) for item in left_out]
    coefficients = _fit(measured)
    return Whole(tuple(map(float, coefficients)), tuple(sorted(errors)), len(names))


def _fit(measured: Sequence[Measured]) -> Column:
    """Non-negative coefficients of the least relative squared errors, held near the prior."""
    wanted = np.array([item.ms for item in measured])
    terms = np.stack([item.terms for item in measured]) / wanted[:, None]
    held, prior = np.array(_HELD), np.array(_PRIOR)
    matrix = np.concatenate([terms, np.diag(_ERROR / held)])
    target = np.concatenate([np.ones(len(wanted)), _ERROR * prior / held])
    scale = np.linalg.norm(matrix, axis=0)
    found: Column = _not_negative(matrix / scale, target) / scale
    return found


def _not_negative(matrix: Column, target: Column) -> Column:
    """Least squares with non-negative coefficients, by leaving out those that want to be negative."""
    left = list(range(matrix.shape[1]))
    found = np.zeros(matrix.shape[1])
    while left:
        solved = np.linalg.lstsq(matrix[:, left], target, rcond=None)[0]
        if (solved >= 0).all():
            found[left] = solved
            return found
        left = [at for at, value in zip(left, solved, strict=True) if value > 0]
    return found


def _two_sided(coverage: float) -> float:
    return NormalDist().inv_cdf(0.5 + coverage / 2)
