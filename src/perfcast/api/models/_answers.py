"""What answers about models look like, for the OpenAPI document; tests hold real answers against these."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import Time, example_of

MODEL = "cnn-execution-time-cpu-torch"
Name = Annotated[str, Field(examples=[MODEL])]
Number = Annotated[int, Field(examples=[3])]
Label = Annotated[str, Field(examples=["v1.2.0"])]
Family = Annotated[str, Field(examples=["xgboost"])]
Workload = Annotated[str, Field(examples=["cnn-execution-time"])]
Aliases = Annotated[dict[str, int], Field(examples=[{"champion": 3, "challenger": 2}])]
Shares = Annotated[dict[str, float], Field(examples=[{"champion": 90, "challenger": 10}])]
Inputs = Annotated[list[str], Field(examples=[["batch_size", "input_channels", "kernel_size"]])]
Status = Annotated[str, Field(examples=["success"])]


class HeldOutMetrics(BaseModel):
    """How good the predictions are on rows that nothing else has seen; what can't be told is left out."""

    rows: int = Field(examples=[1204])
    mae: float = Field(description="In the cost's unit", examples=[0.41])
    rmse: float = Field(description="In the cost's unit", examples=[1.9])
    r2: float = Field(examples=[0.994])
    mape: float | None = Field(None, description="Percent of the true cost", examples=[7.9])
    median_ape: float | None = Field(None, description="Percent of the true cost", examples=[5.1])
    within_5: float | None = Field(None, description="Percent of rows")
    within_10: float | None = Field(None, description="Percent of rows")
    within_20: float | None = Field(None, description="Percent of rows")
    coverage: dict[str, float] = Field(
        {}, description="Percent of rows inside the interval, by coverage", examples=[{"0.9": 90.4}]
    )
    width: dict[str, float] = Field(
        {}, description="Mean width in the cost's unit, by coverage", examples=[{"0.9": 2.2}]
    )
    relative_width: dict[str, float] = Field(
        {}, description="Median width, percent of the cost, by coverage", examples=[{"0.9": 33.1}]
    )
    worst_fifth: dict[str, float] = Field(
        {},
        description="As coverage, of that fifth of the rows by predicted cost that has the least",
        examples=[{"0.9": 88.2}],
    )


class Graph(BaseModel):
    """A version's ONNX graph."""

    sha256: str = Field(examples=["9f2c5a7d0e4b8c1f6a3d9e2b7c5f8a1d4e6b9c2f5a8d1e4b7c0f3a6d9e2b5c8f"])
    bytes: int = Field(examples=[412_905])
    opset: int = Field(examples=[21])
    ir: int = Field(examples=[10])
    row_us: float = Field(description="Median time of one row, microseconds", examples=[12.4])
    native_row_us: float | None = Field(None, examples=[690.0])


class GraphParity(BaseModel):
    """How far graph and native model differ, relative to the cost."""

    rows: int = Field(examples=[1500])
    worst: float = Field(examples=[3.1e-5])
    p999: float = Field(examples=[8.0e-6])


class Data(BaseModel):
    """The rows a version was made from."""

    name: str = Field(examples=["cpu-torch"])
    digest: str = Field(examples=["4be1f09c2d7a"])
    rows: int = Field(examples=[6020])
    configurations: int = Field(examples=[6020])
    parts: dict[str, int] = Field(examples=[{"train": 3612, "calibrate": 1204, "test": 1204}])
    split: str = Field(examples=["by configuration"])
    until: str | None = Field(examples=["2026-02-28T23:59:00Z"])


class Moved(BaseModel):
    """How far the two bounds of one coverage are moved, the mean over the newest actuals."""

    lower: float = Field(examples=[-0.4])
    upper: float = Field(examples=[6.2])


class IntervalCorrection(BaseModel):
    """How a version's intervals follow its actuals; see docs/intervals.md."""

    since: Time = Field(description="ISO 8601, UTC: when the version got its alias; older predictions don't count")
    updated_at: Time = Field(description="ISO 8601, UTC: when the newest actuals were taken in")
    actuals: int = Field(description="How many have come since; 30 are needed", examples=[312])
    bounds: dict[str, Moved] = Field(
        description="By coverage; empty while there are too few actuals", examples=[{"0.9": example_of(Moved)}]
    )
    kind: str = Field(
        description="`added` to the bounds, in the cost's unit, or a `factor` that they are multiplied by",
        examples=["added"],
    )


class ModelEntry(BaseModel):
    """A model at a glance: what its champion is, or without one its newest version."""

    type: Family | None = Field(description="The family")
    input_features: Inputs
    workload: Workload
    champion: Number | None
    versions: list[int] = Field(examples=[[1, 2, 3]])
    metrics: HeldOutMetrics | None
    loaded: bool = Field(description="Whether the champion's graph is in this process's memory", examples=[True])
    aliases: Aliases = Field(description="Version by alias")
    traffic: Shares = Field(description="Percent of callers by the alias that answers them")
    problem: str | None = Field(None, description="Why the champion can't be served")
    notes: dict[str, str] | None = Field(None, description="By alias: why its version isn't asked beside the champion")


class NotLoaded(BaseModel):
    """A file of `MODELS_DIR` that is no version."""

    path: str = Field(
        description="Relative to MODELS_DIR", examples=["prediction-training-cpu/rdf/best_rf_model.joblib"]
    )
    model: str = Field(description="What it would be called", examples=["rf_prediction-training-cpu"])
    reason: str = Field(examples=["it reads 9 inputs, not the 7 of cnn-execution-time nor 8 with padding"])


class ModelList(BaseModel):
    """All models."""

    models: dict[str, ModelEntry] = Field(examples=[{MODEL: example_of(ModelEntry)}])
    total_models: int = Field(examples=[1])
    not_loaded: list[NotLoaded]
    timestamp: Time


class VersionEntry(BaseModel):
    """One of a model's versions; where its manifest can't be read, its number and the problem."""

    version: Number
    label: Label | None = None
    type: Family | None = None
    created_at: Time | None = None
    note: str = Field("", examples=[""])
    notes: list[str] = Field(
        [],
        description="Remarks: what was assumed, left out or cut short while it was made",
        examples=[["imported: it brings no metrics and no intervals"]],
    )
    aliases: list[str] = Field(examples=[["champion"]])
    metrics: HeldOutMetrics | None = None
    graph: Graph | None = None
    calibrated: bool | None = Field(None, examples=[True])
    correction: IntervalCorrection | None = None
    problem: str | None = None


class ModelDetails(BaseModel):
    """A model with all its versions."""

    name: Name
    type: Family | None
    input_features: Inputs
    workload: Workload
    champion: Number | None
    versions: list[VersionEntry]
    metrics: HeldOutMetrics | None
    loaded: bool = Field(examples=[True])
    problem: str | None = None
    notes: dict[str, str] | None = Field(None, description="By alias: why its version isn't asked beside the champion")
    dataset: str = Field(description="The dataset line it learns from", examples=["cpu-torch"])
    created_at: Time
    aliases: Aliases
    traffic: Shares
    features: list[dict[str, Any]] = Field(
        description="Name, type, unit, bounds, default and meaning of each",
        examples=[[{"name": "batch_size", "type": "integer", "unit": "images", "minimum": 1, "maximum": 4096}]],
    )
    timestamp: Time


class LiveAccuracy(BaseModel):
    """How true predictions turned out in a window of time; null where there was nothing to tell it by."""

    predictions: int = Field(description="Made in the window", examples=[5040])
    extrapolated: float | None = Field(
        description="Percent of the predictions with a feature outside the trained range", examples=[0.4]
    )
    width: float | None = Field(description="Mean width of the intervals at 0.9, in the cost's unit", examples=[2.3])
    actuals: int = Field(description="True costs measured in the window", examples=[5021])
    mae: float | None = Field(description="In the cost's unit", examples=[0.44])
    rmse: float | None = Field(description="In the cost's unit", examples=[2.0])
    bias: float | None = Field(description="Mean of predicted - actual, in the cost's unit", examples=[-0.05])
    mape: float | None = Field(description="Percent of the true cost, over those that aren't 0", examples=[8.2])
    coverage: float | None = Field(description="Percent of true costs inside their interval at 0.9", examples=[89.6])


Windows = Annotated[
    dict[str, LiveAccuracy],
    Field(
        description="By window: `1h`, `24h`, `7d`, `all`; empty before the first prediction",
        examples=[{"24h": example_of(LiveAccuracy)}],
    ),
]


class ArmComparison(BaseModel):
    """An arm held against the champion, hour by hour, in a way that may be looked at at any time."""

    measure: str = Field(
        description="`mae` in the cost's unit, or `mape` in percent where the workload's costs are judged relatively",
        examples=["mape"],
    )
    hours: int = Field(description="Finished hours in which both were judged; 24 are needed", examples=[61])
    difference: float | None = Field(
        description="The arm's mean error less the champion's: negative where the arm is better", examples=[-0.9]
    )
    lower: float | None = Field(description="The true difference is between these", examples=[-1.4])
    upper: float | None = Field(examples=[-0.4])
    confidence: float = Field(examples=[0.95])
    significant: bool = Field(examples=[True])
    better: str | None = Field(description="The arm that is; null while that is open", examples=["challenger"])


class VersionMetrics(BaseModel):
    """How good a version is, and how it was found."""

    model_name: Name
    model_version: Number
    label: Label | None
    type: Family
    workload: Workload
    metrics: HeldOutMetrics | None
    live: dict[str, Windows] = Field(
        description="Live accuracy by arm and window", examples=[{"champion": {"24h": example_of(LiveAccuracy)}}]
    )
    search: dict[str, Any] = Field(description="Summary of the search", examples=[{"trials": 20}])
    settings: dict[str, Any] = Field(description="The family's settings", examples=[{"max_depth": 6}])
    importance: dict[str, float] = Field(
        {},
        description="How much each feature matters, a share of 1, the largest first; empty where nobody has looked",
        examples=[{"request_rate": 0.62, "timestamp": 0.38}],
    )
    parity: GraphParity | None
    data: Data | None
    graph: Graph
    correction: IntervalCorrection | None = Field(None, description="Absent while no actuals have come")
    created_at: Time
    timestamp: Time


class AliasMoved(BaseModel):
    """Where an alias pointed before and points now; null is nowhere."""

    model_name: Name
    alias: str = Field(examples=["champion"])
    before: int | None = Field(None, examples=[2])
    after: int | None = Field(None, examples=[3])
    status: Status
    timestamp: Time


class VersionAdded(BaseModel):
    """A version that was uploaded; no alias points to it yet."""

    model_name: Name
    model_version: Number
    label: Label | None
    type: Family
    workload: Workload
    calibrated: bool = Field(description="Whether its answers have bounds", examples=[False])
    graph: Graph = Field(examples=[example_of(Graph, native_row_us=None)])
    created_at: Time
    status: Status
    timestamp: Time


class VersionDeleted(BaseModel):
    """A version that is no more."""

    model_name: Name
    model_version: Number
    status: Status
    timestamp: Time


class Benchmark(BaseModel):
    """How quickly a version answers, one row after another, without HTTP."""

    model_name: Name
    model_version: Number
    iterations: int = Field(examples=[100])
    successful_predictions: int = Field(examples=[100])
    avg_latency_ms: float = Field(examples=[0.0143])
    min_latency_ms: float = Field(examples=[0.0126])
    max_latency_ms: float = Field(examples=[0.0417])
    p50_latency_ms: float = Field(examples=[0.0138])
    p95_latency_ms: float = Field(examples=[0.0171])
    p99_latency_ms: float = Field(examples=[0.0392])
    predictions_per_second: float = Field(examples=[69930.1])
    metrics: HeldOutMetrics | None = Field(description="How good it is on rows that nothing else has seen")
    cached: bool = Field(
        description="Whether this was measured for an earlier call; `fresh=true` measures anew", examples=[False]
    )
    timestamp: Time = Field(description="ISO 8601, UTC: when it was measured")


class ArmFigures(BaseModel):
    """What one alias did in this process, for the version it points to."""

    version: Number
    share: float = Field(description="Percent of the callers; a shadow answers none", examples=[90])
    predictions: int = Field(examples=[90_412])
    mean_ms: float | None = Field(
        None, description="Mean time of a prediction; null where there was none", examples=[0.031]
    )
    note: str | None = Field(None, description="Why the version isn't asked beside the champion")
    live: Windows
    against_champion: ArmComparison | None = Field(None, description="Of challenger and shadow")


_CHAMPION = {name: value for name, value in example_of(ArmFigures).items() if name != "against_champion"}


class Traffic(BaseModel):
    """How callers are split between champion and challenger."""

    model_name: Name
    champion: float = Field(description="Percent of the callers", examples=[90])
    challenger: float = Field(description="Percent of the callers", examples=[10])
    arms: dict[str, ArmFigures] = Field(
        description="By alias, those that are set",
        examples=[
            {
                "champion": _CHAMPION,
                "challenger": example_of(ArmFigures, version=4, share=10, predictions=10046),
                "shadow": example_of(ArmFigures, version=2, share=0),
            }
        ],
    )
    counted_for_seconds: float = Field(description="How long this process has been counting", examples=[3600.2])
    timestamp: Time


class TrafficMoved(Traffic):
    """How callers are split now, and were before."""

    before: dict[str, float] = Field(examples=[{"champion": 100, "challenger": 0}])
    status: Status


class AliasEventEntry(BaseModel):
    """One move of an alias, or one change of the split."""

    alias: str = Field(examples=["challenger"])
    kind: str = Field(description="`point`, `step_back` or `traffic`", examples=["traffic"])
    before: int | None = Field(None, description="Version; null is nowhere", examples=[4])
    after: int | None = Field(None, examples=[4])
    reason: str = Field(examples=["better at night"])
    actor: str = Field(examples=["api"])
    at: Time
    share_before: float | None = Field(
        None, description="The challenger's percent of the callers; null where unchanged", examples=[0]
    )
    share_after: float | None = Field(None, examples=[10])


class AliasHistory(BaseModel):
    """What happened to a model's aliases, newest first."""

    model_name: Name
    total_events: int = Field(examples=[1])
    history: list[AliasEventEntry]
    timestamp: Time
