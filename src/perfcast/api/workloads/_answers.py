"""What answers about workloads look like, for the OpenAPI document; tests hold real answers against these."""

from typing import Annotated

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import Time, example_of

Name = Annotated[str, Field(examples=["cnn-execution-time"])]
Title = Annotated[str, Field(examples=["Execution time of a convolution"])]
Description = Annotated[str, Field(examples=["The time that one 2-D convolution takes on a device."])]
Declared = Annotated[
    str,
    Field(
        description="`built-in`; `yours` for a file of WORKLOADS_DIR or a package; or the version whose manifest "
        "declares it, where nothing else does",
        examples=["built-in"],
    ),
]
Series = Annotated[bool, Field(description="Whether rows are observations of one thing over time", examples=[False])]
Default = Annotated[
    str | None,
    Field(description="The model that answers where none is named", examples=["cnn-execution-time-cpu-torch"]),
]
Value = bool | int | float | str


class Cost(BaseModel):
    """What is predicted."""

    name: str = Field(examples=["execution_time_ms"])
    unit: str = Field(examples=["ms"])
    minimum: float | None = Field(examples=[0])
    maximum: float | None = Field(examples=[60_000])
    relative: bool = Field(description="Whether errors are judged in percent of the cost", examples=[True])
    meaning: str = Field(examples=["Time of one call"])


class FeatureEntry(BaseModel):
    """One stated input."""

    name: str = Field(examples=["padding"])
    type: str = Field(description="`integer`, `number`, `flag` (0 or 1) or `choice`", examples=["integer"])
    unit: str = Field(examples=["pixels"])
    minimum: float | None = Field(description="Null where it has no bound", examples=[0])
    maximum: float | None = Field(examples=[1024])
    required: bool = Field(description="Whether it has no default", examples=[False])
    default: Value | None = Field(
        description="A value, or arithmetic over the features before it", examples=["(kernel_size - 1) // 2"]
    )
    values: list[Value] = Field(description="Of a choice", examples=[[]])
    trend: str | None = Field(
        description="`increasing` where the cost never falls with it, `decreasing` where it never rises",
        examples=["increasing"],
    )
    clock: bool = Field(description="Whether a `timestamp` may stand for it", examples=[False])
    meaning: str = Field(examples=["Rows of zeros added above"])


class DerivedEntry(BaseModel):
    """A further model input, computed from features."""

    name: str = Field(examples=["kernel_area"])
    expression: str = Field(examples=["kernel_size * kernel_width"])
    trend: str | None = Field(examples=["increasing"])
    meaning: str = Field(examples=[""])


class RuleEntry(BaseModel):
    """What must hold between features."""

    check: str = Field(examples=["input_channels % groups == 0"])
    field: str = Field(examples=["groups"])
    message: str = Field(examples=["must divide input_channels"])


class PresetEntry(BaseModel):
    """A row with a name, for people to begin with."""

    name: str = Field(examples=["alexnet-conv2"])
    title: str = Field(examples=["AlexNet, second layer (5 × 5)"])
    group: str = Field(description="Presets that belong together have the same", examples=["AlexNet"])
    features: dict[str, Value] = Field(
        description="A value for each feature, ready for `/predict`",
        examples=[{"batch_size": 1, "input_channels": 64, "kernel_size": 5, "padding": 2}],
    )
    stated: list[str] = Field(
        description="Those that the declaration states; the others follow from them by their defaults",
        examples=[["batch_size", "input_channels", "kernel_size"]],
    )


class AnsweringModel(BaseModel):
    """A model that predicts this workload."""

    name: str = Field(examples=["cnn-execution-time-cpu-torch"])
    champion: int | None = Field(description="The version that answers; null where none does", examples=[5])
    differences: list[str] = Field(
        description="How this declaration differs from the one that the champion reads by",
        examples=[["'padding' had the maximum 512; now 1024"]],
    )


class WorkloadEntry(BaseModel):
    """A workload at a glance."""

    title: Title
    description: Description
    declared: Declared
    cost: Cost
    series: Series
    features: list[str] = Field(examples=[["batch_size", "input_channels", "kernel_size", "padding"]])
    presets: int = Field(description="How many there are", examples=[34])
    default_model: Default
    models: list[str] = Field(examples=[["cnn-execution-time-cpu-torch"]])


class UnusableWorkload(BaseModel):
    """A file, folder or package that declares no workload that can be used."""

    place: str = Field(examples=["workloads/shop.yaml"])
    reason: str = Field(examples=["workloads/shop.yaml: presets[0] 'noon': request_rate: is required"])


class WorkloadList(BaseModel):
    """All workloads."""

    workloads: dict[str, WorkloadEntry] = Field(examples=[{"cnn-execution-time": example_of(WorkloadEntry)}])
    total_workloads: int = Field(examples=[1])
    not_loaded: list[UnusableWorkload]
    timestamp: Time


class WorkloadDetails(BaseModel):
    """A workload as it is declared, its models and presets."""

    name: Name
    title: Title
    description: Description
    declared: Declared
    cost: Cost
    series: Series
    wrapper: str | None = Field(
        description="Name of the object that may hold the features in `/predict`", examples=["cnn_config"]
    )
    takes_timestamp: bool = Field(description="Whether `timestamp` may stand for the clock features", examples=[False])
    features: list[FeatureEntry] = Field(description="In declared order", examples=[[example_of(FeatureEntry)]])
    derived: list[DerivedEntry]
    rules: list[RuleEntry]
    presets: list[PresetEntry]
    default_model: Default
    models: list[AnsweringModel]
    timestamp: Time
