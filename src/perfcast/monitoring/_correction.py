"""How far a version's bounds must move for its intervals to hold what they promise, learnt from its newest actuals.

Adaptive conformal inference (Gibbs and Candès, "Adaptive Conformal Inference Under Distribution Shift", 2021, equation
2), each bound by itself: a model that has begun to predict too little needs its upper bound moved, not its lower one.
What other methods came to on the same data stands in `benchmarks/results/adaptive.md`. Nothing here knows a database.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, log

import msgspec

from perfcast.manifest import Calibration, Move

LONGEST = 480
"""Actuals that are kept, the newest."""
LEAST = 30
"""Actuals before anything is corrected; it grows in until there are twice as many."""
_SHORTEST, _BEYOND = 60, 5
"""A coverage looks at so many actuals that five lie beyond each bound, within limits: 100 for 0.9."""
_RATE = 0.02
"""How far one actual beyond a bound moves the share that may be beyond it."""
_STRICTEST, _LAXEST = -0.1, 0.9
_CLEARLY = 0.9
_TINY = 1.1754943508222875e-38  # the least float32, as in calibration

_Residual = tuple[int, float]
"""A prediction's band, and how far the true cost lies above it."""


_Entry = tuple[str, float, float, float]
"""An actual as it is kept: when it was measured, the predicted and the true cost, the prediction's spread, 0 if it had
none."""


class State(msgspec.Struct, frozen=True):
    """What a correction goes on from.

    Attributes:
        actuals: How many were taken in all.
        shares: For each coverage, the share of actuals that is aimed to lie below the lower and above the upper bound.
        window: When each of the newest actuals was measured (ISO 8601, UTC), the predicted and the true cost; in order.
        spreads: Their predictions' spreads, where the version's bands are of them.
    """

    actuals: int = 0
    shares: Mapping[str, tuple[float, float]] = {}
    window: Sequence[tuple[str, float, float]] = ()
    spreads: Sequence[float] = ()


class Tracker:
    """Takes actuals one after another and says how far the bounds must move.

    The same actuals in the same order always give the same, however often it was stopped and went on from its state.

    Args:
        calibration: The version's own.
        state: Where it stopped.
    """

    def __init__(self, calibration: Calibration, state: State | None = None) -> None:
        state = state or State()
        self._calibration = calibration
        spreads = state.spreads if calibration.spreads else (0.0,) * len(state.window)
        self._window: list[_Entry] = [(*one, spread) for one, spread in zip(state.window, spreads, strict=False)]
        self.actuals = state.actuals
        self._intervals = {
            coverage: _Interval(calibration, coverage, state.shares.get(coverage)) for coverage in calibration.widths
        }
        for interval in self._intervals.values():
            interval.fill(map(self._residual, self._window[-interval.length :]))

    @property
    def state(self) -> State:
        """To go on from."""
        shares = {coverage: interval.shares for coverage, interval in self._intervals.items()}
        window = [(at, cost, actual) for at, cost, actual, _ in self._window]
        spreads = [spread for *_, spread in self._window] if self._calibration.spreads else ()
        return State(self.actuals, shares, window, spreads)

    def learn(self, at: str, cost: float, actual: float, spread: float | None = None) -> None:
        """Take an actual.

        A late one counts as long as it is among the newest by the time it was measured.

        Args:
            at: When it was measured: ISO 8601, UTC.
            cost: What was predicted.
            actual: The true cost.
            spread: How far the version's members disagreed, where its bands are of that.
        """
        self.actuals += 1
        entry = (at, cost, actual, spread or 0.0)
        place = bisect_right(self._window, entry)
        self._window.insert(place, entry)
        count, new = len(self._window), self._residual(entry)
        for interval in self._intervals.values():
            leaving = count - interval.length - 1
            if place > leaving:
                old = self._residual(self._window[leaving]) if leaving >= 0 else None
                interval.learn(new, old)
        del self._window[: count - LONGEST if count > LONGEST else 0]

    def moves(self) -> dict[str, Move]:
        """How the bounds of each coverage are to be moved; nothing before there are enough actuals."""
        weight = min(1.0, (len(self._window) - LEAST + 1) / LEAST)
        return {coverage: interval.move(weight) for coverage, interval in self._intervals.items()} if weight > 0 else {}

    def means(self) -> dict[str, tuple[float, float]]:
        """How far that moves the lower and the upper bound of each coverage, the mean over the newest actuals.

        In the cost's unit, or the logarithm of a factor; positive is towards higher costs.
        """
        return {coverage: self._intervals[coverage].mean(move) for coverage, move in self.moves().items()}

    def _residual(self, entry: _Entry) -> _Residual:
        _, cost, actual, spread = entry
        above = log(max(actual, _TINY) / max(cost, _TINY)) if self._calibration.relative else actual - cost
        return self._calibration.band(cost, spread), above


class _Interval:
    """Both bounds of one coverage, and whether the bands' different widths still say anything.

    After a change they may not: the band that was uncertain before may be the surest now. Where bounds at one distance
    from all predictions would have held as many of the newest actuals and been clearly narrower, those are taken.
    """

    def __init__(self, calibration: Calibration, coverage: str, shares: tuple[float, float] | None) -> None:
        aim = (1 - float(coverage)) / 2
        self.length = min(max(round(_BEYOND / aim), _SHORTEST), LONGEST)
        distances, allowed = calibration.distances(coverage), shares or (aim, aim)
        self._below, self._above = (
            _Bound(aim, share, sign, far) for share, sign, far in zip(allowed, (-1, 1), distances, strict=True)
        )
        self._count = 0

    @property
    def shares(self) -> tuple[float, float]:
        return self._below.share, self._above.share

    def fill(self, residuals: Iterable[_Residual]) -> None:
        for residual in residuals:
            self._replace(residual, None)

    def learn(self, new: _Residual, old: _Residual | None) -> None:
        if self._count >= LEAST:
            level = self._level()
            self._below.aim_by(new, level=level)
            self._above.aim_by(new, level=level)
        self._replace(new, old)

    def move(self, weight: float) -> Move:
        level = self._level()
        below, above = (weight * bound.beyond(level=level) for bound in (self._below, self._above))
        return Move(below, above, 1 - weight if level else 1.0)

    def mean(self, move: Move) -> tuple[float, float]:
        plain = self._below.mean_distance(), self._above.mean_distance()
        below, above = move.of(*plain)
        return plain[0] - below, above - plain[1]

    def _level(self) -> bool:
        both = (self._below, self._above)
        level = sum(bound.beyond(level=True) for bound in both)
        return level < _CLEARLY * sum(bound.beyond(level=False) + bound.mean_distance() for bound in both)

    def _replace(self, new: _Residual, old: _Residual | None) -> None:
        self._count += 1 if old is None else 0
        self._below.replace(new, old)
        self._above.replace(new, old)


class _Bound:
    """One bound: how far beyond it actuals lay, and which share of them it leaves out.

    Args:
        aim: The share that it is to leave out.
        share: The share that it leaves out at present in order to come to that.
        sign: -1 for the lower bound, 1 for the upper.
        distances: How far the plain bound lies from the predicted cost, one distance a band.
    """

    def __init__(self, aim: float, share: float, sign: int, distances: Sequence[float]) -> None:
        self._aim, self.share, self._sign, self._distances = aim, share, sign, distances
        self._beyond_cost, self._beyond_plain = list[float](), list[float]()  # both rise
        self._bands = [0] * len(distances)

    def beyond(self, *, level: bool) -> float:
        """How far beyond the plain bound, or the predicted cost, it must stand to leave out its share."""
        scores = self._beyond_cost if level else self._beyond_plain
        rank = ceil((len(scores) + 1) * (1 - self.share) - 1e-9)
        return _largest(scores) if rank >= len(scores) else scores[max(rank, 1) - 1]

    def mean_distance(self) -> float:
        """The plain bound's, over the newest actuals."""
        pairs = zip(self._bands, self._distances, strict=True)
        return sum(count * distance for count, distance in pairs) / sum(self._bands)

    def aim_by(self, residual: _Residual, *, level: bool) -> None:
        """Leave out fewer where this one was beyond, a little more where it wasn't."""
        missed = self._scores(residual)[0 if level else 1] > self.beyond(level=level)
        self.share = min(max(self.share + _RATE * (self._aim - missed), _STRICTEST), _LAXEST)

    def replace(self, new: _Residual, old: _Residual | None) -> None:
        both = (self._beyond_cost, self._beyond_plain)
        if old is not None:
            self._bands[old[0]] -= 1
            for scores, score in zip(both, self._scores(old), strict=True):
                del scores[bisect_left(scores, score)]
        self._bands[new[0]] += 1
        for scores, score in zip(both, self._scores(new), strict=True):
            insort(scores, score)

    def _scores(self, residual: _Residual) -> tuple[float, float]:
        """How far a true cost lies beyond the predicted one, and beyond the plain bound; negative on the other side."""
        band, above = residual
        score = self._sign * above
        return score, score - self._distances[band]


def _largest(scores: Sequence[float]) -> float:
    """The greatest, but no farther from the second than that is from the middle: one may be a mistake."""
    *_, second, first = scores
    return min(first, 2 * second - scores[len(scores) // 2])
