"""What a version says about itself: where it comes from, how good it is, and how far to trust it.

Made by `perfcast.training`, kept by `perfcast.registry`, read by `perfcast.serving`; plain data that travels as JSON.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, inf, log
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

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
_ROUNDING = 1e-6
_NO_SPREAD = "this table's bands are of spread, and the prediction has none"
LARGEST_GRAPH = 20_000_000
"""Bytes a version's graph may have (rule R3)."""


class Bounded(Protocol):
    """A workload's feature: its name and the least and greatest value it may have."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def minimum(self) -> float: ...  # noqa: D102
    @property
    def maximum(self) -> float: ...  # noqa: D102


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


class Metrics(msgspec.Struct, frozen=True, omit_defaults=True):
    """How good the predictions are on rows that neither fitting, tuning nor calibration saw (rule R4).

    Attributes:
        rows: How many rows it was measured on.
        mae, rmse: In the cost's unit.
        r2: Coefficient of determination, at most 1.
        mape, median_ape: Mean and median absolute percentage error, percent of the true cost; None where it is 0.
        within_5, within_10, within_20: Percent of rows whose error is at most 5, 10, 20 percent of the true cost.
        coverage: Percent of rows inside the interval of each coverage, by the coverage as text.
        width: Mean width of each interval in the cost's unit.
        relative_width: Median width of each interval, percent of the predicted cost.
        worst_fifth: As `coverage`, of that fifth of the rows by predicted cost that has the least.
    """

    rows: int
    mae: float
    rmse: float
    r2: float
    mape: float | None = None
    median_ape: float | None = None
    within_5: float | None = None
    within_10: float | None = None
    within_20: float | None = None
    coverage: Mapping[str, float] = {}
    width: Mapping[str, float] = {}
    relative_width: Mapping[str, float] = {}
    worst_fifth: Mapping[str, float] = {}


class Parity(msgspec.Struct, frozen=True):
    """How far graph and native model differ: relative differences of the cost (rule R3)."""

    rows: int
    worst: float
    p999: float


class GraphFacts(msgspec.Struct, frozen=True):
    """The graph as a file and as work: `row_us` is the median time of one row in ONNX Runtime, microseconds."""

    sha256: str
    bytes: int
    opset: int
    ir: int
    row_us: float
    native_row_us: float | None = None


class DataFacts(msgspec.Struct, frozen=True):
    """The rows a version was made from: `parts` counts them by part, `split` says how they were parted.

    Where they were split by time, `until` is when the newest of all was measured, and `learnt_until` the newest that
    fitting, tuning or calibration saw.
    """

    name: str
    digest: str
    rows: int
    configurations: int
    parts: Mapping[str, int]
    split: str
    until: str | None = None
    learnt_until: str | None = None


BUDGETS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""False alarms a week for which thresholds are made at training; which one holds is a setting."""


class Chart(msgspec.Struct, frozen=True):
    """What a mean over an hour usually is, and when the sum of what it is above that is an alarm.

    After each hour the sum becomes max(0, sum + min(mean, most) − usual − allowance) (Page, Continuous Inspection
    Schemes, Biometrika 41, 1954).

    Attributes:
        usual: Mean on held-out rows, in the unit of the mean.
        allowance: What is overlooked.
        most: What counts of one hour at most, so that a single hour never alarms.
        thresholds: For each of `BUDGETS`, written as text, the sum at which it is an alarm.
    """

    usual: float
    allowance: float
    most: float
    thresholds: Mapping[str, float]


class InputReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one feature was like in training.

    Attributes:
        edges: Where one bin ends and the next begins, rising; the first and the last bin are outside what was trained.
        shares: Share of the training rows in each bin; one more than edges.
        thresholds: For each of `BUDGETS`, the distance from these shares at which a day is unlike training.
        scale: Mean of log10 |value| where it isn't 0; None where there is no such value.
        longest_run: How many rows in a row had one value at most; None where the rows had no order or few values.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    thresholds: Mapping[str, float]
    scale: float | None = None
    longest_run: int | None = None


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is usual for a version, so that it can be told later what isn't (`monitoring/drift`).

    Attributes:
        inputs: By feature; without those that a clock decides.
        errors: Hours' mean errors, in the cost's unit, or as a share of the true cost where errors are relative.
        misses: Hours' shares of true costs outside their intervals; None where there are no intervals.
        outside: Hours' shares of rows outside what was trained.
        burst: An error of one row above this is no usual one.
        cost_scale, cost_run: Of the true costs what `scale` and `longest_run` are of a feature.
        width: Mean width of an interval at the default coverage.
        rows: Held-out rows that thresholds were made from.
        days: Whole days among them; 0 where rows were drawn one by one.
        method: How the thresholds came about, in words.
    """

    inputs: Mapping[str, InputReference]
    errors: Chart
    outside: Chart
    burst: float
    rows: int
    days: int
    method: str
    misses: Chart | None = None
    cost_scale: float | None = None
    cost_run: int | None = None
    width: float | None = None

    def with_errors(self, usual: float) -> "Reference":
        """The same with another usual error; thresholds and all else that is about errors go with it."""
        times, chart = usual / self.errors.usual, self.errors
        thresholds = {budget: times * held for budget, held in chart.thresholds.items()}
        errors = Chart(usual, times * chart.allowance, times * chart.most, thresholds)
        return msgspec.structs.replace(self, errors=errors, burst=times * self.burst)


class Manifest(msgspec.Struct, frozen=True):
    """All that a version says about itself; written once, never changed.

    Attributes:
        type: The family, such as `xgboost`.
        workload: The whole declaration, so that serving needs no YAML file.
        ranges: For each feature the least and the greatest value it was trained on.
        data: Where it was learnt.
        metrics: Held-out metrics; None for uploads that bring none.
        calibration: None where the version is uncalibrated.
        settings: The family's settings.
        search: Summary of the search that found them.
        keeps_trends: Whether the model promises the trends that the workload declares; None where it declares none.
        path: For each feature with a trend and each that follows it, by how much this rises while the other rises by 1;
            what is promised holds for features that move so, all else equal.
        libraries: Versions of what made it.
        inputs: What the model reads, in its order; empty where that is all of the workload's inputs.
        reference: What is usual for it; None for uploads, and for versions older than this.
        created_at: ISO 8601, UTC.
    """

    type: str
    workload: Mapping[str, Any]
    ranges: Mapping[str, tuple[float, float]]
    graph: GraphFacts
    created_at: str
    data: DataFacts | None = None
    metrics: Metrics | None = None
    calibration: Calibration | None = None
    parity: Parity | None = None
    settings: Mapping[str, Any] = {}
    search: Mapping[str, Any] = {}
    libraries: Mapping[str, str] = {}
    seconds: float | None = None
    keeps_trends: bool | None = None
    path: Mapping[str, Mapping[str, float]] = {}
    inputs: tuple[str, ...] = ()
    reference: Reference | None = None
    notes: tuple[str, ...] = ()

    def trained(self, features: Iterable[Bounded]) -> tuple[tuple[str, float, float], ...]:
        """Each feature's name and the range it was trained on, or may have, widened by what float32 rounds away."""
        wide = []
        for feature in features:
            low, high = self.ranges.get(feature.name, (feature.minimum, feature.maximum))
            wide.append((feature.name, low - _ROUNDING * abs(low), high + _ROUNDING * abs(high)))
        return tuple(wide)

    def to_json(self) -> bytes:
        """The manifest as JSON."""
        return msgspec.json.encode(self)

    @staticmethod
    def from_json(data: bytes | str) -> "Manifest":
        """Read what `to_json` wrote.

        Raises:
            msgspec.ValidationError: It is not a manifest.
        """
        return msgspec.json.decode(data, type=Manifest)


@dataclass(frozen=True)
class Draft:
    """A version that is ready to be registered: serialised ONNX graph and manifest."""

    graph: bytes
    manifest: Manifest
