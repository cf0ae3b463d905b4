"""Held-out errors summed up: by the size of the cost, along a feature, over time, and with a feature shuffled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perfcast.reports._evidence import Doubles, Evidence
from perfcast.workloads import check_table, right_rows

_SHUFFLES = 5
_MOST_ROWS = 2_000
"""Held-out rows that are shuffled at most; more would hardly change the figures."""
_NOTHING = 1e-7
"""Share of the largest value below which a value is 0."""
_ENOUGH = 15
"""Rows that a group should have, or there are fewer groups."""
_CURVES_END, _WORTH = 0.35, 0.03
"""From which share of the rows on a learning curve's pace counts, and what twice the rows must gain to be worth it."""
_FEW_HELD = 100
_FEWEST = 5
"""Rows below which a group's spread means nothing."""


@dataclass(frozen=True)
class Group:
    """Held-out rows that lie side by side, by whatever they were put in order.

    Attributes:
        low, high: The least and the greatest of the values they were ordered by.
        rows: How many.
        middle: Median of those values.
        error: Mean of |residual|.
        median, lower, upper: Median, 10 % and 90 % quantile of the residuals.
        held: Percent of the costs inside their interval; None where there are none.
    """

    low: float
    high: float
    rows: int
    middle: float
    error: float
    median: float
    lower: float
    upper: float
    held: float | None


@dataclass(frozen=True)
class Importance:
    """How much worse the answers get when the values of some features are dealt out anew among the rows.

    Attributes:
        features: Which features; those of a clock belong together.
        rise: By how much the mean |residual| rises: the mean over the shuffles.
        spread: Standard deviation over the shuffles.
    """

    features: tuple[str, ...]
    rise: float
    spread: float


def groups(evidence: Evidence, values: npt.NDArray[np.floating], most: int) -> list[Group]:
    """The rows in at most so many groups of like size along some values, float [rows]; equal values stay together."""
    values = np.where(np.abs(values) < _NOTHING * np.abs(values).max(initial=0), 0, values)  # what sin(π) leaves
    most = max(2, min(most, len(values) // _ENOUGH))
    distinct = np.unique(values)
    edges = distinct[1:] if len(distinct) <= most else np.unique(np.quantile(values, np.linspace(0, 1, most + 1)[1:-1]))
    numbers = np.searchsorted(edges, values, side="right")
    held = [numbers == at for at in range(len(edges) + 1)]
    return [_group(evidence, values, rows) for rows in held if rows.sum() >= _FEWEST]


def _group(evidence: Evidence, values: npt.NDArray[np.floating], rows: npt.NDArray[np.bool_]) -> Group:
    residuals = evidence.residuals[rows]
    lower, median, upper = np.quantile(residuals, (0.1, 0.5, 0.9))
    inside = _inside(evidence)
    return Group(
        low=float(values[rows].min()),
        high=float(values[rows].max()),
        rows=int(rows.sum()),
        middle=float(np.median(values[rows])),
        error=float(np.abs(residuals).mean()),
        median=float(median),
        lower=float(lower),
        upper=float(upper),
        held=None if inside is None else 100 * float(inside[rows].mean()),
    )


def _inside(evidence: Evidence) -> npt.NDArray[np.bool_] | None:
    if evidence.bounds is None:
        return None
    lower, upper = evidence.bounds
    return (lower <= evidence.measured) & (evidence.measured <= upper)


def outside(evidence: Evidence) -> npt.NDArray[np.bool_]:
    """Which costs lie outside their interval at 0.9, bool [rows]; none where there are no intervals."""
    inside = _inside(evidence)
    return np.zeros(len(evidence.part), dtype=np.bool_) if inside is None else ~inside


def sample(rows: int, most: int) -> npt.NDArray[np.int64]:
    """The positions of at most so many of the rows, drawn without replacement, the same every time."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, most, replace=False))


def importance(evidence: Evidence) -> list[Importance]:
    """Permutation importance on held-out rows, the greatest first (Breiman, Random Forests, 2001, section 10).

    Rows that no longer make sense with a value of another row, such as a kernel larger than its input, are left out
    before and after.
    """
    rows = sample(len(evidence.part), _MOST_ROWS)
    found = [_importance(evidence, rows, columns) for columns in _together(evidence)]
    return sorted((one for one in found if one is not None), key=lambda one: -one.rise)


def _together(evidence: Evidence) -> Iterator[Sequence[int]]:
    """The columns that are shuffled as one: sine and cosine of one hour, and what else a clock decides."""
    clocks = [at for at, feature in enumerate(evidence.workload.features) if feature.declaration.clock]
    yield from ([at] for at in range(len(evidence.workload.features)) if at not in clocks)
    if clocks:
        yield clocks


def _importance(evidence: Evidence, rows: npt.NDArray[np.int64], columns: Sequence[int]) -> Importance | None:
    random, rises = np.random.default_rng(0), []
    features, measured, predicted = evidence.part.features[rows], evidence.measured[rows], evidence.predicted[rows]
    for _ in range(_SHUFFLES):
        moved = features.copy()
        moved[:, columns] = features[random.permutation(len(rows))][:, columns]
        right = right_rows(check_table(evidence.workload, moved), len(moved))
        if right.any():
            answers = evidence.predict(moved[right]).astype(np.float64)
            after, before = (_error(evidence, measured[right], given) for given in (answers, predicted[right]))
            rises.append(after - before)
    names = tuple(evidence.workload.feature_names[at] for at in columns)
    return Importance(names, float(np.mean(rises)), float(np.std(rises))) if rises else None


def _error(evidence: Evidence, measured: Doubles, predicted: Doubles) -> float:
    return float(np.abs(evidence.of(measured, predicted)).mean())


def outlook(rows: Sequence[int], errors: Sequence[float], held: int) -> str:
    """Whether more rows would help, as a sentence or two.

    As a power law goes on, which learning curves follow between few and very many rows (Hestness et al. 2017, "Deep
    Learning Scaling is Predictable, Empirically", section 4.1).

    Args:
        rows: Learnt from, rising.
        errors: Mean error of each.
        held: How many rows judged them.
    """
    counts, found = np.array(rows, dtype=np.float64), np.array(errors, dtype=np.float64)
    end = counts >= _CURVES_END * counts[-1]
    if end.sum() < 2 or found[end].min() <= 0:
        return "It doesn't tell whether more rows would help." if found[-1] > 0 else "No row more is needed."
    slope = float(np.polyfit(np.log(counts[end]), np.log(found[end]), 1)[0])
    gain = 1 - 2**slope
    chance = f" Only {held} rows judge it, so that may be chance." if held < _FEW_HELD else ""
    if gain < _WORTH:
        return f"More rows would hardly help: the curve is flat at its end. Other features may.{chance}"
    return (
        f"More rows would help: as it falls, twice as many would take about {100 * gain:.0f} % off the error.{chance}"
    )
