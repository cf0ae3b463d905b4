"""Sums that tell a lasting rise of an hour's mean from noise, and thresholds that keep false alarms within a budget."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.manifest import BUDGETS, Chart

Doubles: TypeAlias = npt.NDArray[np.float64]

LEAST_ROWS = 10
"""Rows of an hour that has a mean of its own; hours of actuals with fewer are taken together."""
HOURS = 24
PERSISTENCE = 3
"""So many hours at the most that counts are needed for an alarm."""
_STREAMS, _WEEKS = 128, 4
_HOURS = 7 * HOURS * _WEEKS
_GRID = 48
_WIDEST = 400.0


def step(chart: Chart, total: float, mean: float) -> float:
    """The sum after another hour."""
    return max(0.0, total + min(mean, chart.most) - chart.usual - chart.allowance)


def make_chart(
    days: Sequence[Doubles], *, usual: float, allowance: float, most: float, share: float, ceiling: float = np.inf
) -> Chart:
    """A chart whose thresholds keep the budget on weeks put together from whole days.

    Days are drawn with replacement (block bootstrap: Künsch, Annals of Statistics 17, 1989), so that neighbouring hours
    stay together; each is scaled by a random factor, since few days don't show how different days can be.

    Args:
        days: Means of held-out hours, float64 [24] or fewer, one array a day.
        usual: As the chart has it.
        allowance: As the chart has it.
        most: As the chart has it.
        share: What part of the budget this chart may use.
        ceiling: No mean is greater.
    """
    rates, grid = _alarm_rates(_streams(days, ceiling), usual + allowance, most)
    thresholds = {str(budget): _least(rates, grid, budget * share) for budget in BUDGETS}
    return Chart(usual, allowance, most, thresholds)


def _streams(days: Sequence[Doubles], ceiling: float) -> Doubles:
    """Hours of weeks put together from days: float64 [streams, hours]."""
    random = np.random.default_rng(0)
    logs = np.log([max(float(day.mean()), 1e-12) for day in days])
    spread = float(logs.std(ddof=1)) * len(days) ** -0.2 if len(days) > 1 else 0.5
    lengths = np.array([len(day) for day in days])
    means = np.array([np.pad(day, (0, lengths.max() - len(day))) for day in days])
    known = np.arange(lengths.max()) < lengths[:, None]
    shape = _STREAMS, -(-_HOURS // int(lengths.min()))
    drawn = random.integers(len(days), size=shape)
    factors = np.exp(spread * random.normal(size=shape) - spread**2 / 2)
    streams = zip(drawn, factors, strict=True)
    rows = [(means[chosen] * factor[:, None])[known[chosen]][:_HOURS] for chosen, factor in streams]
    return np.asarray(np.minimum(np.stack(rows), ceiling), dtype=np.float64)


def _alarm_rates(streams: Doubles, level: float, most: float) -> tuple[Doubles, Doubles]:
    """Alarms a week for each of some thresholds, float64 [thresholds], and the thresholds."""
    least = PERSISTENCE * max(most - level, 1e-9)
    grid = np.geomspace(least, least * _WIDEST, _GRID)
    total = np.zeros((len(streams), _GRID))
    alarms = np.zeros(_GRID)
    for hour in np.minimum(streams, most).T - level:
        total = np.maximum(0.0, total + hour[:, None])
        over = total >= grid
        alarms += over.sum(axis=0)
        total[over] = 0.0
    return alarms / (_STREAMS * _WEEKS), grid


def _least(rates: Doubles, grid: Doubles, budget: float) -> float:
    kept = np.flatnonzero(rates <= budget)
    return float(grid[kept[0]] if len(kept) else grid[-1])
