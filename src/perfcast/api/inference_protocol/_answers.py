"""What the Open Inference Protocol's answers look like, for the OpenAPI document."""

from typing import Any

from pydantic import Field, RootModel

from perfcast.api.http._answers import Answer, example_of
from perfcast.api.inference_protocol._examples import COLUMNS, MODEL

_MATRIX = {"style": "matrix", "columns": ",".join(COLUMNS)}
_COLUMN = {"style": "columns", "required": True, "unit": "requests/s", "minimum": 0.0, "maximum": 1e30}
_INPUTS = [
    {"name": "features", "datatype": "FP32", "shape": [-1, 8], "parameters": _MATRIX},
    {"name": "request_rate", "datatype": "FP32", "shape": [-1], "parameters": _COLUMN},
]
_OUTPUTS = [
    {"name": "cpu_utilization", "datatype": "FP32", "shape": [-1], "parameters": {"unit": "percent"}},
    {"name": "extrapolated", "datatype": "BOOL", "shape": [-1], "parameters": {}},
]
_CONFIGURED = [
    {"name": "features", "data_type": "TYPE_FP32", "dims": [-1, 8], "optional": False},
    {"name": "request_rate", "data_type": "TYPE_FP32", "dims": [-1], "optional": True},
]


class ServerMetadata(Answer):
    """The server."""

    name: str = Field(examples=["perfcast"])
    version: str = Field(examples=["0.1.0"])
    extensions: list[str] = Field(examples=[["binary_tensor_data"]])


class ServerLiveness(Answer):
    """The server lives."""

    live: bool = Field(examples=[True])


class ServerReadiness(Answer):
    """Whether some model answers."""

    ready: bool = Field(examples=[True])


class ModelReadiness(Answer):
    """The model answers."""

    name: str = Field(examples=[MODEL])
    ready: bool = Field(examples=[True])


class TensorMetadata(Answer):
    """An input or output."""

    name: str
    datatype: str
    shape: list[int] = Field(description="−1 stands for the number of rows")
    parameters: dict[str, Any] = Field({}, description="For inputs `style`: `matrix` or `columns`; units and bounds")


class ModelMetadata(Answer):
    """A model's inputs and outputs."""

    name: str = Field(examples=[MODEL])
    versions: list[str] = Field(examples=[["1", "2"]])
    platform: str = Field(examples=["onnxruntime_onnx"])
    inputs: list[TensorMetadata] = Field(examples=[_INPUTS])
    outputs: list[TensorMetadata] = Field(examples=[_OUTPUTS])


class TensorConfiguration(Answer):
    """An input or output in Triton's words."""

    name: str
    data_type: str
    dims: list[int] = Field(description="−1 stands for the number of rows")
    optional: bool = False


class ModelConfiguration(Answer):
    """What Triton's clients look for in a model's configuration."""

    name: str = Field(examples=[MODEL])
    platform: str = Field(examples=["onnxruntime_onnx"])
    backend: str = Field(examples=["onnxruntime"])
    version_policy: dict[str, Any] = Field(examples=[{"specific": {"versions": [1]}}])
    max_batch_size: int = Field(description="0: the dimensions include the rows", examples=[0])
    input: list[TensorConfiguration] = Field(examples=[_CONFIGURED])
    output: list[TensorConfiguration] = Field(
        examples=[[{"name": "cpu_utilization", "data_type": "TYPE_FP32", "dims": [-1]}]]
    )


class Counted(Answer):
    """How many, and how long all of them took."""

    count: int
    ns: int


class VersionStatistics(Answer):
    """What was counted of a version."""

    name: str = Field(examples=[MODEL])
    version: str = Field(examples=["1"])
    inference_count: int = Field(description="Rows", examples=[200])
    execution_count: int = Field(description="Requests", examples=[100])
    inference_stats: dict[str, Counted] = Field(
        examples=[{"success": {"count": 100, "ns": 4200000}, "fail": {"count": 1, "ns": 0}}]
    )
    batch_stats: list[dict[str, Any]] = Field(examples=[[]])


class ModelStatistics(Answer):
    """What was counted of versions."""

    model_stats: list[VersionStatistics]


class IndexedVersion(Answer):
    """A version in the repository."""

    name: str = Field(examples=[MODEL])
    version: str = Field(examples=["2"])
    state: str = Field(description="READY, or UNAVAILABLE for the reason given", examples=["UNAVAILABLE"])
    reason: str = Field(examples=["its graph is not the one it was registered with"])


class RepositoryIndex(RootModel[list[IndexedVersion]]):
    """All versions."""

    root: list[IndexedVersion] = Field(
        examples=[[example_of(IndexedVersion, version="1", state="READY", reason=""), example_of(IndexedVersion)]]
    )
