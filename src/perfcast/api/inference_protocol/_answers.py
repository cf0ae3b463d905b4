"""What the Open Inference Protocol's bodies look like, for the OpenAPI document; tests send the examples."""

from typing import Any

from pydantic import BaseModel, Field, RootModel

from perfcast.api.http._schemas import example_of, json_body

MODEL = "cpu-utilization"
COLUMNS: dict[str, list[float]] = {
    "request_rate": [120.0, 240.0],
    "active_users": [60, 110],
    "db_connections": [25, 40],
    "hour_sin": [0.5, 0.5],
    "hour_cos": [0.866, 0.866],
    "minute_sin": [0.2588, 0.2588],
    "minute_cos": [0.9659, 0.9659],
    "is_business_hour": [1, 1],
}
_WHOLE = ("active_users", "db_connections", "is_business_hour")

INDEX_BODY: dict[str, Any] = {
    "required": False,
    "content": {
        "application/json": {
            "schema": {"type": "object", "properties": {"ready": {"type": "boolean"}}},
            "example": {"ready": True},
        }
    },
}
BY_COLUMNS: dict[str, Any] = {
    "id": "42",
    "inputs": [
        {"name": name, "datatype": "INT64" if name in _WHOLE else "FP32", "shape": [2], "data": values}
        for name, values in COLUMNS.items()
    ],
    "parameters": {"coverage": 0.95},
}
BY_MATRIX: dict[str, Any] = {
    "inputs": [
        {
            "name": "features",
            "datatype": "FP32",
            "shape": [2, 8],
            "data": [[values[row] for values in COLUMNS.values()] for row in range(2)],
        }
    ],
    "outputs": [{"name": "cpu_utilization"}],
}
RESPONSE: dict[str, Any] = {
    "model_name": MODEL,
    "model_version": "1",
    "id": "42",
    "parameters": {"coverage": 0.95, "prediction_id": "019d2f4c3a17c0ffee000000001"},
    "outputs": [
        {"name": "cpu_utilization", "datatype": "FP32", "shape": [2], "data": [30.0, 60.0]},
        {"name": "lower", "datatype": "FP32", "shape": [2], "data": [28.0, 56.0]},
        {"name": "upper", "datatype": "FP32", "shape": [2], "data": [32.0, 64.0]},
        {"name": "extrapolated", "datatype": "BOOL", "shape": [2], "data": [False, False]},
    ],
}
_PARAMETERS = {"type": ["object", "null"], "additionalProperties": True}


def _tensor(*required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "datatype": {"type": "string", "description": "BOOL, INT8 … INT64, UINT8 … UINT64, FP16 … FP64, BYTES"},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "data": {"type": "array", "description": "Row after row, flat or nested"},
            "parameters": _PARAMETERS | {"description": "`binary_data_size` where the data comes behind the JSON"},
        },
        "required": list(required),
    }


_REQUEST_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": ["string", "null"]},
        "inputs": {"type": "array", "minItems": 1, "items": _tensor("name", "datatype", "shape")},
        "outputs": {
            "type": ["array", "null"],
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "parameters": _PARAMETERS},
                "required": ["name"],
            },
        },
        "parameters": _PARAMETERS | {"description": "`coverage` of the interval, `binary_data_output`"},
    },
    "required": ["inputs"],
}
_RESPONSE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "model_name": {"type": "string"},
        "model_version": {"type": "string"},
        "id": {"type": "string"},
        "parameters": {"type": "object"},
        "outputs": {"type": "array", "items": _tensor("name", "datatype", "shape")},
    },
    "required": ["model_name", "model_version", "outputs"],
}
_BINARY = {
    "schema": {"type": "string", "format": "binary"},
    "example": 'as the JSON, with {"binary_data_size": BYTES} for data, and behind it the little-endian bytes',
}
INFER_BODY = json_body(
    _REQUEST_SCHEMA,
    {
        "columns": ("One tensor for each feature", BY_COLUMNS),
        "matrix": ("One tensor with all features, in declared order", BY_MATRIX),
    },
)
INFER_BODY["content"]["application/octet-stream"] = _BINARY
INFERRED: dict[str, Any] = {
    "description": "The outputs asked for; as bytes behind the JSON where so wanted",
    "content": {
        "application/json": {"schema": _RESPONSE_SCHEMA, "example": RESPONSE},
        "application/octet-stream": _BINARY,
    },
}
LENGTH: dict[str, Any] = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "required": False,
    "schema": {"type": "integer", "minimum": 0},
    "description": "How many bytes of the body are JSON, where tensors come behind it",
}


def _in_path(name: str, description: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "description": description}


NAME = _in_path("name", "A model's name, or NAME@ALIAS")
VERSION = _in_path("version", "Number or label of one of its versions")


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


class ServerMetadata(BaseModel):
    """The server."""

    name: str = Field(examples=["perfcast"])
    version: str = Field(examples=["0.1.0"])
    extensions: list[str] = Field(examples=[["binary_tensor_data"]])


class ServerLiveness(BaseModel):
    """The server lives."""

    live: bool = Field(examples=[True])


class ServerReadiness(BaseModel):
    """Whether some model answers."""

    ready: bool = Field(examples=[True])


class ModelReadiness(BaseModel):
    """The model answers."""

    name: str = Field(examples=[MODEL])
    ready: bool = Field(examples=[True])


class TensorMetadata(BaseModel):
    """An input or output."""

    name: str
    datatype: str
    shape: list[int] = Field(description="−1 stands for the number of rows")
    parameters: dict[str, Any] = Field({}, description="For inputs `style`: `matrix` or `columns`; units and bounds")


class ModelMetadata(BaseModel):
    """A model's inputs and outputs."""

    name: str = Field(examples=[MODEL])
    versions: list[str] = Field(examples=[["1", "2"]])
    platform: str = Field(examples=["onnxruntime_onnx"])
    inputs: list[TensorMetadata] = Field(examples=[_INPUTS])
    outputs: list[TensorMetadata] = Field(examples=[_OUTPUTS])


class TensorConfiguration(BaseModel):
    """An input or output in Triton's words."""

    name: str
    data_type: str
    dims: list[int] = Field(description="−1 stands for the number of rows")
    optional: bool = False


class ModelConfiguration(BaseModel):
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


class Counted(BaseModel):
    """How many, and how long all of them took."""

    count: int
    ns: int


class VersionStatistics(BaseModel):
    """What was counted of a version."""

    name: str = Field(examples=[MODEL])
    version: str = Field(examples=["1"])
    inference_count: int = Field(description="Rows", examples=[200])
    execution_count: int = Field(description="Requests", examples=[100])
    inference_stats: dict[str, Counted] = Field(
        examples=[{"success": {"count": 100, "ns": 4200000}, "fail": {"count": 1, "ns": 0}}]
    )
    batch_stats: list[dict[str, Any]] = Field(examples=[[]])


class ModelStatistics(BaseModel):
    """What was counted of versions."""

    model_stats: list[VersionStatistics]


class IndexedVersion(BaseModel):
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
