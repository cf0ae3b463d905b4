"""How wide intervals are: a version's table of widths, and how its bounds are moved."""

from bisect import bisect_right
from collections.abc import Mapping
from math import exp, inf, log
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

COVERAGES = (0.5, 0.8, 0.9, 0.95, 0.99)
"""The shares of true costs that an interval can be asked to hold."""
DEFAULT_COVERAGE = 0.9
_SMALLEST_LOG, _LARGEST_LOG = 1e-12, 80.0
"""Of factors that a correction may make."""
_COVERAGE_TEXT = {coverage: str(coverage) for coverage in COVERAGES}
_NO_SPREAD = "this table's bands are of spread, and the prediction has none"


class Move(NamedTuple):
    """How two bounds are moved, on the scale of `Calibration.distances`.

    Attributes:
        below, above: What is added to the distance of the lower and of the upper bound from the predicted cost.
        kept: The share of the plain distances, which differ from band to band, that stays.
    """

    below: float
    above: float
    kept: float = 1.0

    def of(self, below: float, above: float) -> tuple[float, float]:
        """The new distances for the plain ones."""
        return self.kept * below + self.below, self.kept * above + self.above


STAY = Move(0.0, 0.0)


class Calibration(msgspec.Struct, frozen=True, omit_defaults=True):
    """How wide a prediction's interval must be, by its magnitude and by how far the model's members disagree on it.

    Split-conformal quantiles on rows the model never saw, one row of the table for each band of predicted cost, or of
    spread within one of cost (Mondrian categories: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World,
    section 4.5).

    Attributes:
        relative: Whether a width is a factor (interval = cost ÷ w … cost × w) or a distance (cost − w … cost + w).
        edges: The predicted costs at which one band ends and the next begins, rising; one fewer than bands.
        widths: For each coverage, written as text such as `0.9`, one width a band.
        minimum, maximum: Bounds of the cost.
        rows: How many rows the table was made from.
        below: As `widths`, where the lower bound has a width of its own; `corrected` makes such.
        spreads: For each band of cost the spreads at which it is divided further, rising; the bands of the lowest costs
            come first. Empty where bands are of cost alone. A spread is the graph's second output.
    """

    relative: bool
    edges: tuple[float, ...]
    widths: Mapping[str, tuple[float, ...]]
    minimum: float
    maximum: float
    rows: int
    below: Mapping[str, tuple[float, ...]] = {}
    spreads: tuple[tuple[float, ...], ...] = ()

    @property
    def bands(self) -> int:
        """How many there are."""
        return sum(len(within) + 1 for within in self.spreads) if self.spreads else len(self.edges) + 1

    def band(self, cost: float, spread: float | None = None) -> int:
        """The band of a prediction, from 0.

        Raises:
            ValueError: Bands are of spread, and none is given.
        """
        band = bisect_right(self.edges, cost)
        if not self.spreads:
            return band
        if spread is None:
            raise ValueError(_NO_SPREAD)
        first = 0
        for within in self.spreads[:band]:  # a loop: a sum over a generator would take 500 ns more
            first += len(within) + 1
        return first + bisect_right(self.spreads[band], spread)

    def bands_of(
        self, costs: "npt.NDArray[np.floating]", spreads: "npt.NDArray[np.floating] | None" = None
    ) -> "npt.NDArray[np.intp]":
        """`band` of many predictions: float [rows] each to whole numbers [rows].

        Raises:
            ValueError: As of `band`.
        """
        import numpy as np  # the command line reads manifests too, and starts without it

        bands = np.searchsorted(self.edges, np.asarray(costs, dtype=np.float64), side="right")
        if not self.spreads:
            return bands
        if spreads is None:
            raise ValueError(_NO_SPREAD)
        known, start, found = np.asarray(spreads, dtype=np.float64), 0, np.zeros_like(bands)
        for band, within in enumerate(self.spreads):
            held = bands == band
            found[held] = start + np.searchsorted(within, known[held], side="right")
            start += len(within) + 1
        return found

    def interval(self, cost: float, coverage: float, spread: float | None = None) -> tuple[float, float] | None:
        """Lower and upper bound that hold the true cost with the coverage asked for.

        Args:
            cost: The predicted cost.
            coverage: One of `COVERAGES`.
            spread: How far the model's members disagree; needed where bands are of it.

        Returns:
            None where there were too few rows to promise this coverage.
        """
        asked = _COVERAGE_TEXT[coverage]
        above = self.widths.get(asked)
        if above is None:
            return None
        below = self.below.get(asked, above)
        band = self.band(cost, spread) if self.spreads else bisect_right(self.edges, cost)
        if self.relative:
            lower, upper = cost / below[band], cost * above[band]
        else:
            lower, upper = cost - below[band], cost + above[band]
        least, most = self.minimum, self.maximum
        if least <= lower and upper <= most:  # nearly always, and sooner known than what min and max give
            return lower, upper
        return min(max(lower, least), most), min(max(upper, least), most)

    def intervals(
        self, costs: "npt.NDArray[np.floating]", coverage: float, spreads: "npt.NDArray[np.floating] | None" = None
    ) -> "tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None":
        """`interval` for many predictions, to the same last bit.

        Args:
            costs: The predicted costs, float [rows].
            coverage: One of `COVERAGES`.
            spreads: How far the model's members disagree, float [rows]; needed where bands are of it.

        Returns:
            Lower and upper bounds, float64 [rows]; None where there were too few rows to promise this coverage.
        """
        import numpy as np  # as in `bands_of`

        asked = _COVERAGE_TEXT[coverage]
        table = self.widths.get(asked)
        if table is None:
            return None
        cost = np.asarray(costs, dtype=np.float64)
        band = self.bands_of(cost, spreads)
        above = np.asarray(table)[band]
        below = np.asarray(self.below[asked])[band] if asked in self.below else above
        lower, upper = (cost / below, cost * above) if self.relative else (cost - below, cost + above)
        return np.clip(lower, self.minimum, self.maximum), np.clip(upper, self.minimum, self.maximum)

    def distances(self, coverage: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """How far the bounds lie below and above the predicted cost, one distance a band.

        In the cost's unit; where widths are factors, their natural logarithms.
        """
        above = self.widths[coverage]
        below = self.below.get(coverage, above)
        return (tuple(map(log, below)), tuple(map(log, above))) if self.relative else (below, above)

    def corrected(self, moves: Mapping[str, Move]) -> "Calibration":
        """The table with its bounds moved, such that none crosses the other and no greater coverage is narrower.

        Args:
            moves: By coverage; where there is none, the bounds stay.
        """
        above: dict[str, tuple[float, ...]] = {}
        below: dict[str, tuple[float, ...]] = {}
        inner = [(-inf, -inf)] * self.bands
        for coverage in sorted(self.widths, key=float):
            move = moves.get(coverage, STAY)
            moved = [move.of(*distances) for distances in zip(*self.distances(coverage), strict=True)]
            inner = [self._uncrossed(*map(max, own, held)) for own, held in zip(moved, inner, strict=True)]
            below[coverage], above[coverage] = (tuple(map(self._width, side)) for side in zip(*inner, strict=True))
        return msgspec.structs.replace(self, widths=above, below=below)

    def _uncrossed(self, below: float, above: float) -> tuple[float, float]:
        """Distances such that the lower bound isn't above the upper; where it was, both stand in the middle."""
        least = _SMALLEST_LOG if self.relative else 0.0  # or rounding could cross what touches
        if below + above >= least:
            return below, above
        middle = (above - below) / 2
        return least - middle, middle + least

    def _width(self, distance: float) -> float:
        return exp(min(max(distance, -_LARGEST_LOG), _LARGEST_LOG)) if self.relative else distance
