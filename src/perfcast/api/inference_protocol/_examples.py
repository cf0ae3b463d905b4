"""Examples of the Open Inference Protocol's bodies, for the OpenAPI document; tests send and compare them."""

from typing import Any

_MODEL = "cpu-utilization"
_COLUMNS: dict[str, list[float]] = {
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

SERVER: dict[str, Any] = {"name": "perfcast", "version": "0.1.0", "extensions": ["binary_tensor_data"]}
LIVE: dict[str, Any] = {"live": True}
READY: dict[str, Any] = {"ready": True}
NOT_READY: dict[str, Any] = {"ready": False}
MODEL_READY: dict[str, Any] = {"name": _MODEL, "ready": True}
METADATA: dict[str, Any] = {
    "name": _MODEL,
    "versions": ["1", "2"],
    "platform": "onnxruntime_onnx",
    "inputs": [
        {
            "name": "features",
            "datatype": "FP32",
            "shape": [-1, 8],
            "parameters": {"style": "matrix", "columns": ",".join(_COLUMNS)},
        },
        {
            "name": "request_rate",
            "datatype": "FP32",
            "shape": [-1],
            "parameters": {"style": "columns", "required": True, "unit": "requests/s", "minimum": 0.0, "maximum": 1e30},
        },
    ],
    "outputs": [
        {"name": "cpu_utilization", "datatype": "FP32", "shape": [-1], "parameters": {"unit": "percent"}},
        {"name": "extrapolated", "datatype": "BOOL", "shape": [-1], "parameters": {}},
    ],
}
CONFIGURATION: dict[str, Any] = {
    "name": _MODEL,
    "platform": "onnxruntime_onnx",
    "backend": "onnxruntime",
    "version_policy": {"specific": {"versions": [1]}},
    "max_batch_size": 0,
    "input": [
        {"name": "features", "data_type": "TYPE_FP32", "dims": [-1, 8], "optional": False},
        {"name": "request_rate", "data_type": "TYPE_FP32", "dims": [-1], "optional": True},
    ],
    "output": [{"name": "cpu_utilization", "data_type": "TYPE_FP32", "dims": [-1]}],
}
STATISTICS: dict[str, Any] = {
    "model_stats": [
        {
            "name": _MODEL,
            "version": "1",
            "inference_count": 200,
            "execution_count": 100,
            "inference_stats": {"success": {"count": 100, "ns": 4200000}, "fail": {"count": 1, "ns": 0}},
            "batch_stats": [],
        }
    ]
}
INDEX: list[dict[str, str]] = [
    {"name": _MODEL, "version": "1", "state": "READY", "reason": ""},
    {
        "name": _MODEL,
        "version": "2",
        "state": "UNAVAILABLE",
        "reason": "its graph is not the one it was registered with",
    },
]
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
        for name, values in _COLUMNS.items()
    ],
    "parameters": {"coverage": 0.95},
}
BY_MATRIX: dict[str, Any] = {
    "inputs": [
        {
            "name": "features",
            "datatype": "FP32",
            "shape": [2, 8],
            "data": [[values[row] for values in _COLUMNS.values()] for row in range(2)],
        }
    ],
    "outputs": [{"name": "cpu_utilization"}],
}
RESPONSE: dict[str, Any] = {
    "model_name": _MODEL,
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
INFER_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": _REQUEST_SCHEMA,
            "examples": {
                "columns": {"summary": "One tensor for each feature", "value": BY_COLUMNS},
                "matrix": {"summary": "One tensor with all features, in declared order", "value": BY_MATRIX},
            },
        },
        "application/octet-stream": _BINARY,
    },
}
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
