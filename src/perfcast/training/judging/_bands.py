"""Which predictions share a width: bands of predicted cost, or of spread, for all costs or for low and high ones apart.

Where errors come of what the model doesn't know, its members disagree there, and bands of spread give narrow intervals
to what is known. Where they come of noise that no model could know, they don't, and bands of cost are better. So each
form is tried on the calibrating rows themselves, each fold's rows with the widths of the others.
"""

import math
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from perfcast.manifest import DEFAULT_COVERAGE, Calibration
from perfcast.training.judging._metrics import worst_fifth

Doubles: TypeAlias = npt.NDArray[np.float64]
ROWS_PER_BAND = 150
FEWEST_BANDS, MOST_BANDS = 2, 10
MOST_COSTS = 3
"""Bands of cost that are divided further by spread."""
LEAST_FIFTH = 0.85
"""Share of true costs that an interval for `DEFAULT_COVERAGE` is to hold in each fifth of predicted cost."""
_FOLDS = 5
_ERRORS = 2
"""Standard errors by which another form must beat bands of cost alone."""


class Held(NamedTuple):
    """Rows that the model never saw, float64 [rows] each.

    Attributes:
        cost: What was predicted.
        residual: How far the true cost lies from it; of relative costs the logarithm of the factor between them.
        spread: How far the model's members disagree; None where nobody knows.
    """

    cost: Doubles
    residual: Doubles
    spread: Doubles | None

    def take(self, rows: npt.NDArray[np.bool_]) -> "Held":
        """Some of them."""
        return Held(self.cost[rows], self.residual[rows], None if self.spread is None else self.spread[rows])


class Form(NamedTuple):
    """How many bands of cost there are, and how many of spread in each."""

    costs: int
    spreads: int = 1


def banded(table: Calibration, held: Held) -> Calibration:
    """The table with the edges that suit these rows best, and as it was otherwise."""
    plain, *others = _forms(held)
    if not others:
        return _drawn(table, held, plain)
    by_cost = _tried(table, held, plain)
    trials = [_tried(table, held, form) for form in others]
    best = min([by_cost, *(trial for trial in trials if trial.clearly_beats(by_cost))], key=lambda trial: trial.loss)
    return _drawn(table, held, best.form)


def distances(table: Calibration, held: Held, coverage: float) -> Doubles | None:
    """How far from the predicted cost the bounds of each band lie, float64 [bands].

    A band of too few rows has the distance of all.

    Returns:
        None where there are too few rows to promise this coverage.
    """
    pooled = conformal_quantile(held.residual, coverage)
    if pooled is None:
        return None
    bands = table.bands_of(held.cost, held.spread)
    found = [conformal_quantile(held.residual[bands == band], coverage) for band in range(table.bands)]
    return np.array([pooled if distance is None else distance for distance in found])


def conformal_quantile(residuals: Doubles, coverage: float) -> float | None:
    """The ⌈(n + 1) · coverage⌉-th smallest residual.

    With it an interval holds a further exchangeable row with at least that probability (Vovk, Gammerman and Shafer
    2005, section 2.3; Lei et al. 2018, "Distribution-Free Predictive Inference for Regression", theorem 2.2).

    Args:
        residuals: float64 [rows], not negative.
        coverage: Between 0 and 1.

    Returns:
        None where there are too few rows to promise so much.
    """
    rank = math.ceil((len(residuals) + 1) * coverage - 1e-9)
    return float(np.partition(residuals, rank - 1)[rank - 1]) if 0 < rank <= len(residuals) else None


def _forms(held: Held) -> list[Form]:
    """Those that so many rows allow; each band has about `ROWS_PER_BAND` of them or more."""
    bands = min(MOST_BANDS, len(held.cost) // ROWS_PER_BAND)
    if bands < FEWEST_BANDS:
        return [Form(1)]
    apart = range(1, MOST_COSTS + 1) if held.spread is not None else ()
    return [Form(bands), *(Form(costs, bands // costs) for costs in apart if bands // costs >= FEWEST_BANDS)]


def _drawn(table: Calibration, held: Held, form: Form) -> Calibration:
    edges = _edges(held.cost, form.costs)
    spreads: list[tuple[float, ...]] = []
    if held.spread is not None and form.spreads > 1:
        band = np.searchsorted(edges, held.cost, side="right")
        spreads = [_edges(held.spread[band == number], form.spreads) for number in range(len(edges) + 1)]
    return msgspec.structs.replace(table, edges=edges, spreads=tuple(spreads))


def _edges(values: Doubles, bands: int) -> tuple[float, ...]:
    """Quantiles, such that each band has as many rows."""
    edges = np.unique(np.quantile(values, np.arange(1, bands) / bands, method="inverted_cdf"))
    # Many equal values can leave the first band empty.
    return tuple(edges[edges > values.min()].tolist())


class _Trial(NamedTuple):
    """How good intervals of a form are on rows beside those that they were sized on.

    Attributes:
        form: The form.
        lacks: By how much too little the worst fifth holds, beyond a standard error; 0 where it holds enough.
        scores: Each row's interval score (Gneiting and Raftery 2007, "Strictly Proper Scoring Rules, Prediction, and
            Estimation", equation 43), float64 [rows]; less is better.
    """

    form: Form
    lacks: float
    scores: Doubles

    @property
    def loss(self) -> tuple[float, float]:
        return self.lacks, float(self.scores.mean())

    def clearly_beats(self, other: "_Trial") -> bool:
        """Whether its mean score is less by more than chance makes."""
        apart = other.scores - self.scores
        return bool(apart.mean() > _ERRORS * apart.std() / len(apart) ** 0.5)


def _tried(table: Calibration, held: Held, form: Form) -> _Trial:
    reach = _crossed(table, held, form)
    beyond = np.maximum(held.residual - reach, 0)
    chance = (LEAST_FIFTH * (1 - LEAST_FIFTH) / (len(reach) / 5)) ** 0.5
    lacks = max(0.0, LEAST_FIFTH - chance - worst_fifth(held.cost, beyond == 0))
    return _Trial(form, lacks, 2 * reach + 2 / (1 - DEFAULT_COVERAGE) * beyond)


def _crossed(table: Calibration, held: Held, form: Form) -> Doubles:
    """Each row's distance at `DEFAULT_COVERAGE` as the other folds' rows give it, float64 [rows]."""
    fold = np.random.default_rng(0).permutation(len(held.cost)) % _FOLDS
    found = np.zeros_like(held.cost)
    for number in range(_FOLDS):
        known, asked = held.take(fold != number), held.take(fold == number)
        drawn = _drawn(table, known, form)
        reach = distances(drawn, known, DEFAULT_COVERAGE)
        assert reach is not None  # where there are several forms, there are rows enough
        found[fold == number] = reach[drawn.bands_of(asked.cost, asked.spread)]
    return found
