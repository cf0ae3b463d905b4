"""All that a version says about itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from perfcast.manifest._calibration import Calibration
from perfcast.manifest._reference import Reference

CALIBRATED = "calibrated"
"""The type of versions that were adapted to a few rows, of which none is left that they haven't learnt."""
LARGEST_GRAPH = 20_000_000
"""Bytes a version's graph may have (rule R3)."""
_ROUNDING = 1e-6


class Bounded(Protocol):
    """A workload's feature: its name and the least and greatest value it may have."""

    @property
    def name(self) -> str: ...
    @property
    def minimum(self) -> float: ...
    @property
    def maximum(self) -> float: ...


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


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a manifest that holds for a version wherever it goes: how it came about and how good it is.

    Attributes:
        data: Where it was learnt.
        metrics: Held-out metrics; None for uploads that bring none.
        calibration: The table of intervals; None where the version is uncalibrated.
        settings: The family's settings.
        search: Summary of the search that found them.
        libraries: Versions of what made it.
        seconds: How long its fits took.
        keeps_trends: Whether the model promises the trends that the workload declares; None where it declares none.
        path: For each feature with a trend and each that follows it, by how much this rises while the other rises by 1;
            what is promised holds for features that move so, all else equal.
        base: The older version, `NAME:VERSION`, from whose answers it starts; its graph is in this one's. Else empty.
        learnt_all: Whether it has learnt from the calibrating rows too, after its intervals had been sized by them.
        inputs: What the model reads, in its order; empty where that is all of the workload's inputs.
        importance: How much each feature matters, a share of 1, the largest first; `timestamp` for all that a clock
            decides. Empty where nobody has looked.
        notes: What else is worth knowing.
    """

    data: DataFacts | None = None
    metrics: Metrics | None = None
    calibration: Calibration | None = None
    settings: Mapping[str, Any] = {}
    search: Mapping[str, Any] = {}
    libraries: Mapping[str, str] = {}
    seconds: float | None = None
    keeps_trends: bool | None = None
    path: Mapping[str, Mapping[str, float]] = {}
    base: str = ""
    learnt_all: bool = False
    inputs: tuple[str, ...] = ()
    importance: Mapping[str, float] = {}
    notes: tuple[str, ...] = ()


class Manifest(Origin, frozen=True, kw_only=True):
    """All that a version says about itself; written once, never changed.

    Attributes:
        type: The family, such as `xgboost`.
        workload: The whole declaration, so that serving needs no YAML file.
        ranges: For each feature the least and the greatest value it was trained on.
        graph: Its graph.
        parity: How far that differs from the native model; None for uploads.
        reference: What is usual for it; None for uploads, and for versions older than this.
        created_at: ISO 8601, UTC.
    """

    type: str
    workload: Mapping[str, Any]
    ranges: Mapping[str, tuple[float, float]]
    graph: GraphFacts
    created_at: str
    parity: Parity | None = None
    reference: Reference | None = None

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
