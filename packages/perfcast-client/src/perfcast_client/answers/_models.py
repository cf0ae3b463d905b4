"""Models, their versions, and which of them answers."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class HeldOutMetrics(Struct, frozen=True):
    """How good predictions are on rows that nothing else has seen; None where it can't be told.

    Attributes:
        mae, rmse: In the cost's unit.
        mape, median_ape: Percent of the true cost.
        within_5, within_10, within_20: Percent of rows.
        coverage: Percent of rows inside the interval, by coverage such as `0.9`.
        width: Mean width in the cost's unit, by coverage.
        relative_width: Median width, percent of the cost, by coverage.
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
    coverage: dict[str, float] = {}
    width: dict[str, float] = {}
    relative_width: dict[str, float] = {}
    worst_fifth: dict[str, float] = {}


class Graph(Struct, frozen=True):
    """A version's ONNX graph; `row_us` is the median time of one row, microseconds."""

    sha256: str
    bytes: int
    opset: int
    ir: int
    row_us: float
    native_row_us: float | None = None


class GraphParity(Struct, frozen=True):
    """How far graph and native model differ, relative to the cost."""

    rows: int
    worst: float
    p999: float


class Data(Struct, frozen=True):
    """The rows a version was made from; `until` is when the newest was measured, ISO 8601."""

    name: str
    digest: str
    rows: int
    configurations: int
    parts: dict[str, int]
    split: str
    until: str | None


class Moved(Struct, frozen=True):
    """How far the two bounds of one coverage are moved."""

    lower: float
    upper: float


class IntervalCorrection(Struct, frozen=True):
    """How a version's intervals follow its actuals.

    Attributes:
        since: When the version got its alias; older predictions don't count.
        actuals: How many have come since.
        bounds: By coverage; empty while there are too few actuals.
        kind: `added` to the bounds, in the cost's unit, or a `factor`.
    """

    since: datetime
    updated_at: datetime
    actuals: int
    bounds: dict[str, Moved]
    kind: str


class ModelEntry(Struct, frozen=True):
    """A model at a glance: what its champion is, or without one its newest version.

    Attributes:
        type: The family.
        loaded: Whether the champion's graph is in the server's memory.
        aliases: Version by alias.
        traffic: Percent of callers by the alias that answers them.
        problem: Why the champion can't be served.
        notes: By alias: why its version isn't asked beside the champion.
    """

    type: str | None
    input_features: list[str]
    workload: str
    champion: int | None
    versions: list[int]
    metrics: HeldOutMetrics | None
    loaded: bool
    aliases: dict[str, int]
    traffic: dict[str, float]
    problem: str | None = None
    notes: dict[str, str] | None = None


class NotLoaded(Struct, frozen=True):
    """A file of the server's `MODELS_DIR` that is no version, and why."""

    path: str
    model: str
    reason: str


class ModelList(Struct, frozen=True):
    """All models, by name."""

    models: dict[str, ModelEntry]
    total_models: int
    not_loaded: list[NotLoaded]
    timestamp: datetime


class VersionEntry(Struct, frozen=True):
    """One of a model's versions; where its manifest can't be read, its number and the problem."""

    version: int
    aliases: list[str]
    label: str | None = None
    type: str | None = None
    created_at: datetime | None = None
    note: str = ""
    notes: list[str] = []
    metrics: HeldOutMetrics | None = None
    graph: Graph | None = None
    calibrated: bool | None = None
    correction: IntervalCorrection | None = None
    problem: str | None = None


class ModelDetails(Struct, frozen=True):
    """A model with all its versions.

    Attributes:
        dataset: The dataset line it learns from.
        features: Name, type, unit, bounds, default and meaning of each.
    """

    name: str
    type: str | None
    input_features: list[str]
    workload: str
    champion: int | None
    versions: list[VersionEntry]
    metrics: HeldOutMetrics | None
    loaded: bool
    dataset: str
    created_at: datetime
    aliases: dict[str, int]
    traffic: dict[str, float]
    features: list[dict[str, Any]]
    timestamp: datetime
    problem: str | None = None
    notes: dict[str, str] | None = None


class LiveAccuracy(Struct, frozen=True):
    """How true predictions turned out in a window of time; None where there was nothing to tell it by.

    Attributes:
        extrapolated: Percent of the predictions with a feature outside the trained range.
        width: Mean width of the intervals at 0.9, in the cost's unit.
        bias: Mean of predicted − actual, in the cost's unit.
        mape: Percent of the true cost.
        coverage: Percent of true costs inside their interval at 0.9.
    """

    predictions: int
    extrapolated: float | None
    width: float | None
    actuals: int
    mae: float | None
    rmse: float | None
    bias: float | None
    mape: float | None
    coverage: float | None


class ArmComparison(Struct, frozen=True):
    """An arm held against the champion, hour by hour; may be looked at at any time.

    Attributes:
        measure: `mae` in the cost's unit, or `mape` in percent.
        hours: Finished hours in which both were judged.
        difference: The arm's mean error less the champion's, which is between `lower` and `upper`.
        better: The arm that is; None while that is open.
    """

    measure: str
    hours: int
    difference: float | None
    lower: float | None
    upper: float | None
    confidence: float
    significant: bool
    better: str | None


class VersionMetrics(Struct, frozen=True):
    """How good a version is, and how it was found.

    Attributes:
        live: Live accuracy by arm and window (`1h`, `24h`, `7d`, `all`).
        search: Summary of the search.
        settings: The family's settings.
        importance: How much each feature matters, a share of 1; empty where nobody has looked.
        correction: None while no actuals have come.
    """

    model_name: str
    model_version: int
    label: str | None
    type: str
    workload: str
    metrics: HeldOutMetrics | None
    live: dict[str, dict[str, LiveAccuracy]]
    search: dict[str, Any]
    settings: dict[str, Any]
    parity: GraphParity | None
    data: Data | None
    graph: Graph
    created_at: datetime
    timestamp: datetime
    importance: dict[str, float] = {}
    correction: IntervalCorrection | None = None


class AliasMoved(Struct, frozen=True):
    """Where an alias pointed before and points now; None is nowhere."""

    model_name: str
    alias: str
    status: str
    timestamp: datetime
    before: int | None = None
    after: int | None = None


class VersionAdded(Struct, frozen=True):
    """A version that was uploaded; no alias points to it yet. Uncalibrated ones answer without bounds."""

    model_name: str
    model_version: int
    label: str | None
    type: str
    workload: str
    calibrated: bool
    graph: Graph
    created_at: datetime
    status: str
    timestamp: datetime


class VersionDeleted(Struct, frozen=True):
    """A version that is no more."""

    model_name: str
    model_version: int
    status: str
    timestamp: datetime


class Benchmark(Struct, frozen=True):
    """How quickly a version answers, one row after another, without HTTP; milliseconds.

    Attributes:
        cached: Whether this was measured for an earlier call.
        timestamp: When it was measured.
    """

    model_name: str
    model_version: int
    iterations: int
    successful_predictions: int
    avg_latency_ms: float
    min_latency_ms: float
    max_latency_ms: float
    p50_latency_ms: float
    p95_latency_ms: float
    p99_latency_ms: float
    predictions_per_second: float
    metrics: HeldOutMetrics | None
    cached: bool
    timestamp: datetime


class ArmFigures(Struct, frozen=True):
    """What one alias did in the process that answered, for the version it points to.

    Attributes:
        share: Percent of the callers; a shadow answers none.
        mean_ms: Mean time of a prediction; None where there was none.
        live: By window: `1h`, `24h`, `7d`, `all`.
        against_champion: Of challenger and shadow.
    """

    version: int
    share: float
    predictions: int
    live: dict[str, LiveAccuracy]
    mean_ms: float | None = None
    note: str | None = None
    against_champion: ArmComparison | None = None


class Traffic(Struct, frozen=True, kw_only=True):
    """Percent of the callers that champion and challenger answer, and what each arm did."""

    model_name: str
    champion: float
    challenger: float
    arms: dict[str, ArmFigures]
    counted_for_seconds: float
    timestamp: datetime


class TrafficMoved(Traffic, frozen=True, kw_only=True):
    """How callers are split now, and were before."""

    before: dict[str, float]
    status: str


class AliasEventEntry(Struct, frozen=True):
    """One move of an alias, or one change of the split; `kind` is `point`, `step_back` or `traffic`.

    Attributes:
        before, after: Versions; None is nowhere.
        share_before, share_after: The challenger's percent of the callers; None where unchanged.
    """

    alias: str
    kind: str
    reason: str
    actor: str
    at: datetime
    before: int | None = None
    after: int | None = None
    share_before: float | None = None
    share_after: float | None = None


class AliasHistory(Struct, frozen=True):
    """What happened to a model's aliases, newest first."""

    model_name: str
    total_events: int
    history: list[AliasEventEntry]
    timestamp: datetime
