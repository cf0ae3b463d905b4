"""What answers about models look like, for the OpenAPI document; tests hold real answers against these."""

from typing import Any

from pydantic import Field

from perfcast.api.http._answers import Answer, Time


class HeldOutMetrics(Answer):
    """How good the predictions are on rows that nothing else has seen; what can't be told is left out."""

    rows: int
    mae: float = Field(description="In the cost's unit")
    rmse: float = Field(description="In the cost's unit")
    r2: float
    mape: float | None = Field(None, description="Percent of the true cost")
    median_ape: float | None = Field(None, description="Percent of the true cost")
    within_5: float | None = Field(None, description="Percent of rows")
    within_10: float | None = Field(None, description="Percent of rows")
    within_20: float | None = Field(None, description="Percent of rows")
    coverage: dict[str, float] = Field({}, description="Percent of rows inside the interval, by coverage")
    width: dict[str, float] = Field({}, description="Mean width in the cost's unit, by coverage")
    relative_width: dict[str, float] = Field({}, description="Median width, percent of the cost, by coverage")


class Graph(Answer):
    """A version's ONNX graph."""

    sha256: str
    bytes: int
    opset: int
    ir: int
    row_us: float = Field(description="Median time of one row, microseconds")
    native_row_us: float | None = None


class GraphParity(Answer):
    """How far graph and native model differ, relative to the cost."""

    rows: int
    worst: float
    p999: float


class Data(Answer):
    """The rows a version was made from."""

    name: str
    digest: str
    rows: int
    configurations: int
    parts: dict[str, int]
    split: str
    until: str | None


class ModelEntry(Answer):
    """A model at a glance: what its champion is, or without one its newest version."""

    type: str | None = Field(description="The family")
    input_features: list[str]
    workload: str
    champion: int | None
    versions: list[int]
    metrics: HeldOutMetrics | None
    loaded: bool = Field(description="Whether the champion's graph is in this process's memory")
    aliases: dict[str, int] = Field(description="Version by alias")
    traffic: dict[str, float] = Field(description="Percent of callers by the alias that answers them")
    problem: str | None = Field(None, description="Why the champion can't be served")
    notes: dict[str, str] | None = Field(None, description="By alias: why its version isn't asked beside the champion")


class NotLoaded(Answer):
    """A file of `MODELS_DIR` that is no version."""

    path: str = Field(description="Relative to MODELS_DIR")
    model: str = Field(description="What it would be called")
    reason: str


class ModelList(Answer):
    """All models."""

    models: dict[str, ModelEntry]
    total_models: int
    not_loaded: list[NotLoaded]
    timestamp: Time


class VersionEntry(Answer):
    """One of a model's versions; where its manifest can't be read, its number and the problem."""

    version: int
    label: str | None = None
    type: str | None = None
    created_at: Time | None = None
    note: str = ""
    notes: list[str] = Field([], description="Remarks: what was assumed, left out or cut short while it was made")
    aliases: list[str]
    metrics: HeldOutMetrics | None = None
    graph: Graph | None = None
    calibrated: bool | None = None
    problem: str | None = None


class ModelDetails(Answer):
    """A model with all its versions."""

    name: str
    type: str | None
    input_features: list[str]
    workload: str
    champion: int | None
    versions: list[VersionEntry]
    metrics: HeldOutMetrics | None
    loaded: bool
    problem: str | None = None
    notes: dict[str, str] | None = Field(None, description="By alias: why its version isn't asked beside the champion")
    dataset: str = Field(description="The dataset line it learns from")
    created_at: Time
    aliases: dict[str, int]
    traffic: dict[str, float]
    features: list[dict[str, Any]] = Field(description="Name, type, unit, bounds, default and meaning of each")
    timestamp: Time


class VersionMetrics(Answer):
    """How good a version is, and how it was found."""

    model_name: str
    model_version: int
    label: str | None
    type: str
    workload: str
    metrics: HeldOutMetrics | None
    search: dict[str, Any] = Field(description="Summary of the search")
    settings: dict[str, Any] = Field(description="The family's settings")
    parity: GraphParity | None
    data: Data | None
    graph: Graph
    created_at: Time
    timestamp: Time


class AliasMoved(Answer):
    """Where an alias pointed before and points now; null is nowhere."""

    model_name: str
    alias: str
    before: int | None = None
    after: int | None = None
    status: str
    timestamp: Time


class VersionAdded(Answer):
    """A version that was uploaded; no alias points to it yet."""

    model_name: str
    model_version: int
    label: str | None
    type: str
    workload: str
    calibrated: bool = Field(description="Whether its answers have bounds")
    graph: Graph
    created_at: Time
    status: str
    timestamp: Time


class VersionDeleted(Answer):
    """A version that is no more."""

    model_name: str
    model_version: int
    status: str
    timestamp: Time


class Benchmark(Answer):
    """How quickly a version answers, one row after another, without HTTP."""

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
    metrics: HeldOutMetrics | None = Field(description="How good it is on rows that nothing else has seen")
    cached: bool = Field(description="Whether this was measured for an earlier call; `fresh=true` measures anew")
    timestamp: Time = Field(description="ISO 8601, UTC: when it was measured")
