"""How far a version's bounds must move for its intervals to hold what they promise, learnt from its newest actuals.

Adaptive conformal inference (Gibbs and Candès, "Adaptive Conformal Inference Under Distribution Shift", 2021, equation
2), each bound by itself: a model that has begun to predict too little needs its upper bound moved, not its lower one.
What other methods came to on the same data stands in `benchmarks/results/adaptive.md`. Nothing here knows a database.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from math import ceil, log

import msgspec

from perfcast.manifest import Calibration

WINDOW = 240
"""Actuals that are looked at, the newest; four hours where one comes every minute."""
LEAST = 30
"""Actuals before anything is corrected; it grows in until there are twice as many."""
RATE = 0.02
"""How far one actual beyond a bound moves the share that may be beyond it."""
_STRICTEST, _LAXEST = -0.1, 0.5
_TINY = 1.1754943508222875e-38  # the least float32, as in calibration


class State(msgspec.Struct, frozen=True):
    """What a correction goes on from.

    Attributes:
        actuals: How many were taken in all.
        shares: For each coverage, the share of actuals that is aimed to lie below the lower and above the upper bound.
        window: When each of the newest actuals was measured (ISO 8601, UTC), the predicted and the true cost; in order.
    """

    actuals: int = 0
    shares: Mapping[str, tuple[float, float]] = {}
    window: Sequence[tuple[str, float, float]] = ()


class Correction:
    """Takes actuals one after another and says how far the bounds must move.

    The same actuals in the same order always give the same, however often it was stopped and went on from its state.
    200 actuals take a few milliseconds.

    Args:
        calibration: The version's own.
        state: Where it stopped.
    """

    def __init__(self, calibration: Calibration, state: State | None = None) -> None:
        state = state or State()
        self._calibration = calibration
        self._window = list(state.window)
        self.actuals = state.actuals
        self._bounds = {
            coverage: _Bounds(calibration, coverage, state.shares.get(coverage)) for coverage in calibration.widths
        }
        for bounds in self._bounds.values():
            bounds.fill([self._residual(cost, actual) for _, cost, actual in self._window])

    @property
    def state(self) -> State:
        """To go on from."""
        shares = {coverage: bounds.shares for coverage, bounds in self._bounds.items()}
        return State(self.actuals, shares, list(self._window))

    def learn(self, at: str, cost: float, actual: float) -> None:
        """Take an actual.

        One that is older than the whole window says nothing about the present and is left out.

        Args:
            at: When it was measured: ISO 8601, UTC.
            cost: What was predicted.
            actual: The true cost.
        """
        entry = (at, cost, actual)
        full = len(self._window) >= WINDOW
        if full and entry < self._window[0]:
            return
        self.actuals += 1
        new = self._residual(cost, actual)
        old = self._residual(*self._window.pop(0)[1:]) if full else None
        insort(self._window, entry)
        aiming = len(self._window) > LEAST
        for bounds in self._bounds.values():
            bounds.learn(new, old, aiming=aiming)

    def moves(self) -> dict[str, tuple[float, float]]:
        """What is to be added to the lower and the upper bound of each coverage, as `Calibration.corrected` takes it.

        Nothing before there are enough actuals.
        """
        weight = min(1.0, (len(self._window) - LEAST + 1) / LEAST)
        if weight <= 0:
            return {}
        return {
            coverage: (-weight * bounds.below.beyond(), weight * bounds.above.beyond())
            for coverage, bounds in self._bounds.items()
        }

    def _residual(self, cost: float, actual: float) -> tuple[int, float]:
        """The prediction's band, and how far the true cost lies above it."""
        band = bisect_right(self._calibration.edges, cost)
        if self._calibration.relative:
            return band, log(max(actual, _TINY) / max(cost, _TINY))
        return band, actual - cost


class _Bounds:
    """Both bounds of one coverage."""

    def __init__(self, calibration: Calibration, coverage: str, shares: tuple[float, float] | None) -> None:
        self._distances = calibration.distances(coverage)
        aim = (1 - float(coverage)) / 2
        below, above = shares or (aim, aim)
        self.below, self.above = _Bound(aim, below), _Bound(aim, above)

    @property
    def shares(self) -> tuple[float, float]:
        return self.below.share, self.above.share

    def fill(self, residuals: Sequence[tuple[int, float]]) -> None:
        scores = [self._scores(*residual) for residual in residuals]
        self.below.scores, self.above.scores = sorted(low for low, _ in scores), sorted(high for _, high in scores)

    def learn(self, new: tuple[int, float], old: tuple[int, float] | None, *, aiming: bool) -> None:
        gone = (None, None) if old is None else self._scores(*old)
        for bound, score, former in zip((self.below, self.above), self._scores(*new), gone, strict=True):
            if aiming:
                bound.aim_by(score)
            bound.replace(score, former)

    def _scores(self, band: int, residual: float) -> tuple[float, float]:
        """How far beyond the plain lower and upper bound the true cost lies; negative inside."""
        below, above = self._distances
        return -residual - below[band], residual - above[band]


class _Bound:
    """One bound: how far beyond its plain place actuals lay, and which share of them it leaves out."""

    def __init__(self, aim: float, share: float) -> None:
        self._aim, self.share = aim, share
        self.scores: list[float] = []

    def beyond(self) -> float:
        """How far beyond its plain place it must stand to leave out its share of the window."""
        count = len(self.scores)
        rank = ceil((count + 1) * (1 - self.share) - 1e-9)
        return self._largest() if rank >= count else self.scores[max(rank, 1) - 1]

    def aim_by(self, score: float) -> None:
        """Leave out fewer where this one was beyond, a little more where it wasn't."""
        missed = float(score > self.beyond())
        self.share = min(max(self.share + RATE * (self._aim - missed), _STRICTEST), _LAXEST)

    def replace(self, score: float, former: float | None) -> None:
        if former is not None:
            del self.scores[bisect_left(self.scores, former)]
        insort(self.scores, score)

    def _largest(self) -> float:
        """The greatest score, but no farther from the second than that is from the middle: one may be a mistake."""
        *_, second, first = self.scores
        return min(first, 2 * second - self.scores[len(self.scores) // 2])
