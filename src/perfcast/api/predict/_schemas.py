"""What `/predict` takes and gives, for the OpenAPI document; nothing is validated with these."""

from typing import Any

from perfcast.api.http._schemas import json_body
from perfcast.manifest import COVERAGES

MODEL = "cnn-execution-time-cpu-torch"
_CONVOLUTION = {
    "batch_size": 32,
    "input_channels": 3,
    "input_height": 224,
    "input_width": 224,
    "output_channels": 64,
    "kernel_size": 3,
    "stride": 1,
}
LOAD = {
    "request_rate": 120,
    "active_users": 60,
    "db_connections": 25,
    "hour_sin": 0.5,
    "hour_cos": 0.866,
    "minute_sin": 0.2588,
    "minute_cos": 0.9659,
    "is_business_hour": 1,
}
PREDICT_BODY = json_body(
    {
        "type": "object",
        "properties": {
            "model_name": {"type": ["string", "null"], "description": "NAME, NAME:VERSION or NAME@ALIAS"},
            "coverage": {"type": ["number", "null"], "enum": [*COVERAGES, None], "default": 0.9},
            "device": {
                "type": ["string", "null"],
                "description": "For workloads that declare a `device` feature. The models of the built-in "
                "workloads know one device each and refuse it (422): name the device's model instead",
            },
            "features": {"type": "object", "description": "The features by name"},
            "cnn_config": {"type": "object", "description": "The features of a convolution"},
        },
        "additionalProperties": True,
    },
    {
        "convolution": ("A convolution's execution time", {"model_name": MODEL, "cnn_config": _CONVOLUTION}),
        "load": ("CPU utilisation under a load", LOAD),
        "general": ("Any workload", {"model_name": "cpu-utilization", "features": LOAD, "coverage": 0.95}),
    },
)


def asked(name: str, schema: dict[str, Any], **further: Any) -> dict[str, Any]:
    """What may stand in a query."""
    return {"name": name, "in": "query", "required": False, "schema": schema, **further}


COVERAGE = {"type": "number", "enum": list(COVERAGES), "default": 0.9}
PREDICT_QUERY: list[dict[str, Any]] = [
    asked("model_name", {"type": "string"}, description="NAME, NAME:VERSION or NAME@ALIAS"),
    asked("coverage", COVERAGE),
    asked(
        "features",
        {"type": "object", "additionalProperties": {"type": ["number", "string"]}},
        description="The features, each a parameter of its own name",
        example=LOAD,
        style="form",
        explode=True,
    ),
]
PREDICT_ANSWER: dict[str, Any] = {
    "description": "The predicted cost under its own name, with its interval",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "model_name": {"type": "string"},
                    "model_type": {"type": "string"},
                    "prediction_id": {"type": "string"},
                    "prediction_timestamp": {"type": "string", "format": "date-time"},
                    "status": {"type": "string", "const": "success"},
                    "model_version": {"type": "integer"},
                    "lower": {"type": ["number", "null"]},
                    "upper": {"type": ["number", "null"]},
                    "coverage": {"type": "number"},
                    "extrapolated": {"type": "array", "items": {"type": "string"}},
                },
                "additionalProperties": {"type": "number", "description": "The cost, such as execution_time_ms"},
            },
            "example": {
                "execution_time_ms": 45.67,
                "model_name": MODEL,
                "model_type": "xgboost",
                "prediction_timestamp": "2026-03-01T10:30:00.000Z",
                "status": "success",
                "model_version": 3,
                "lower": 40.1,
                "upper": 52.0,
                "coverage": 0.9,
                "extrapolated": [],
                "prediction_id": "019d2f4c3a17c0ffee000000001",
            },
        }
    },
}
