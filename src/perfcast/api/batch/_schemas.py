"""What batches and their answers look like, for the OpenAPI document."""

from typing import Any

from perfcast.api.batch import ARROW, CSV, JSON, PARQUET
from perfcast.api.http._schemas import json_body
from perfcast.api.predict import PREDICT_ANSWER, PREDICT_BODY
from perfcast.api.predict._schemas import COVERAGE, MODEL, asked
from perfcast.manifest import COVERAGES

_CONVOLUTION = PREDICT_BODY["content"][JSON]["examples"]["convolution"]["value"]
_COLUMNS = {name: [value, value] for name, value in _CONVOLUTION["cnn_config"].items()}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_NUMBERS: dict[str, Any] = {"type": "array", "items": {"type": ["number", "null"]}}
_ONE = PREDICT_ANSWER["content"][JSON]

_FAILURE = {
    "type": "object",
    "properties": {
        "status": {"type": "string", "const": "error"},
        "error": {"type": "string"},
        "model_name": {"type": ["string", "null"]},
    },
}

BATCH_QUERY: list[dict[str, Any]] = [
    asked("model_name", {"type": "string"}, description="Of columns: NAME, NAME:VERSION or NAME@ALIAS", example=MODEL),
    asked("coverage", COVERAGE, description="Of columns: what their intervals shall hold"),
]
BATCH_BODY = json_body(
    {
        "oneOf": [
            {
                "type": "array",
                "description": "`/predict` bodies; whatever is none becomes an error in its place",
                "items": {"anyOf": [PREDICT_BODY["content"][JSON]["schema"], {}]},
            },
            {
                "type": "object",
                "properties": {
                    "model_name": {"type": ["string", "null"]},
                    "coverage": {"type": ["number", "null"], "enum": [*COVERAGES, None]},
                    "columns": {"type": "object", "additionalProperties": {"type": "array"}},
                },
                "required": ["columns"],
                "additionalProperties": False,
            },
        ]
    },
    {
        "list": ("A list of /predict bodies", [_CONVOLUTION, _CONVOLUTION]),
        "columns": ("Columns", {"model_name": MODEL, "columns": _COLUMNS}),
    },
)
_LINES = ",".join(_COLUMNS) + "\n" + ",".join(str(values[0]) for values in _COLUMNS.values()) + "\n"
BATCH_BODY["content"] |= {ARROW: _BINARY, PARQUET: _BINARY, CSV: {"schema": {"type": "string"}, "example": _LINES}}
BATCH_ANSWER: dict[str, Any] = {
    "description": "In the form of the body, or as Accept asks",
    "content": {
        JSON: {
            "schema": {
                "type": "object",
                "properties": {
                    "results": {
                        "type": "array",
                        "description": "Of a list: each body's answer, or what was wrong with it",
                        "items": {"anyOf": [_ONE["schema"], _FAILURE]},
                    },
                    "total_requests": {"type": "integer"},
                    "successful_predictions": {"type": "integer"},
                    "timestamp": {"type": "string", "format": "date-time"},
                    "columns": {
                        "type": "object",
                        "description": "Of columns: the cost, its interval, and for each row the names of features "
                        "outside the trained range",
                        "properties": {
                            "lower": _NUMBERS,
                            "upper": _NUMBERS,
                            "extrapolated": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
                        },
                        "additionalProperties": _NUMBERS,
                    },
                    "model_name": {"type": "string"},
                    "model_version": {"type": "integer"},
                },
            },
            "example": {
                "results": [
                    _ONE["example"],
                    {"status": "error", "error": "kernel_size: is required", "model_name": MODEL},
                ],
                "total_requests": 2,
                "successful_predictions": 1,
                "timestamp": "2026-03-01T10:30:00.000000Z",
            },
        },
        ARROW: _BINARY,
        PARQUET: _BINARY,
        CSV: {
            "schema": {"type": "string"},
            "example": '"execution_time_ms","lower","upper","extrapolated"\n45.67,40.1,52,""\n',
        },
    },
}
