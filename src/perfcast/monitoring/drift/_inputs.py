"""How unlike training a feature's values of a day are."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.manifest import BUDGETS

Doubles: TypeAlias = npt.NDArray[np.float64]
Counts: TypeAlias = Mapping[str, Sequence[int]]
"""By feature, how many rows lay in each bin."""

LEAST_DAY_ROWS = 240
"""Predictions of a day whose inputs are compared."""
BINS = 20
"""Bins within what was trained, each with about as many rows; two more are outside it."""
_DRAWS = 4000
_FEWEST_DAYS = 3


def make_edges(values: npt.NDArray[np.floating]) -> Doubles:
    """Where bins end: quantiles of the training rows, the least and just above the greatest value; float64 [edges]."""
    known = values[np.isfinite(values)].astype(np.float32)
    inner = np.quantile(known, np.arange(1, BINS) / BINS, method="inverted_cdf")
    ends = np.array([known.min(), np.nextafter(known.max(), np.float32(np.inf))], dtype=np.float32)
    return np.unique(np.concatenate([inner, ends])).astype(np.float64)


def histogram(values: npt.NDArray[np.floating], edges: Sequence[float] | Doubles) -> npt.NDArray[np.int64]:
    """How many values lie in each bin, int64 [edges + 1]; what isn't a number lies in none."""
    known = values[np.isfinite(values)]
    return np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)


def distance(counts: npt.NDArray[np.integer] | Sequence[int], shares: Sequence[float] | Doubles) -> float:
    """Greatest difference of the two cumulated distributions at a bin's end: 0 to 1 (Kolmogorov and Smirnov)."""
    held = np.asarray(counts, dtype=np.float64)
    return float(np.abs(np.cumsum(held / max(held.sum(), 1.0)) - np.cumsum(shares)).max())


def day_distances(hours: npt.NDArray[np.int64], learnt: npt.NDArray[np.int64]) -> Doubles:
    """For each whole day the greatest distance of the 24 hours up to any hour in it: float64 [days].

    A day that was learnt from is compared with the rest of what was.

    Args:
        hours: Counts of rows, int64 [hours, bins].
        learnt: The part of them in training, int64 [hours, bins].
    """
    total = learnt.sum(axis=0)
    found = []
    for end in range(24, len(hours) + 1):
        window, known = hours[end - 24 : end].sum(axis=0), learnt[end - 24 : end].sum(axis=0)
        rest = total - known
        found.append(distance(window, rest / max(rest.sum(), 1)))
    days = [max(found[at : at + 24]) for at in range(0, len(found) - 23, 24)]
    return np.array(days or found, dtype=np.float64)


def thresholds_of_days(distances: Doubles, share: float) -> dict[str, float]:
    """The distance that a day exceeds as often as a share of each budget allows; days are drawn with replacement.

    Smoothed on a logarithmic scale (Silverman and Young, Biometrika 74, 1987), because few days don't show the tail.
    """
    logs = np.log(np.maximum(distances, 1e-3))
    spread = float(logs.std(ddof=1)) if len(logs) >= _FEWEST_DAYS else 0.5
    random = np.random.default_rng(0)
    drawn = random.choice(logs, _DRAWS) + spread * 1.06 * len(logs) ** -0.2 * random.normal(size=_DRAWS)
    return {
        str(budget): float(min(1.0, np.exp(np.quantile(drawn, max(0.5, 1 - budget * share / 7))))) for budget in BUDGETS
    }


def thresholds_of_rows(counts: npt.NDArray[np.int64], shares: Doubles, rows: int, share: float) -> dict[str, float]:
    """The same where rows have no times: windows of so many rows are drawn from held-out rows one by one."""
    random = np.random.default_rng(0)
    held = random.multinomial(rows, counts / max(counts.sum(), 1), size=500)
    far = [distance(window, shares) for window in held]
    return {
        str(budget): float(min(1.0, np.quantile(far, max(0.5, 1 - budget * share / 7)) * 1.1)) for budget in BUDGETS
    }
