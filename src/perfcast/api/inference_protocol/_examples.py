"""Examples of the Open Inference Protocol's bodies, for the OpenAPI document; tests send and compare them."""

from typing import Any

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
