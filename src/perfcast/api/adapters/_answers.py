"""What the adapters take and give, for the OpenAPI document; tests send the examples."""

from typing import Any

from pydantic import BaseModel, Field

from perfcast.api.http._schemas import json_body
from perfcast.api.predict import PREDICT_BODY

MODEL = "cpu-utilization"
LOAD: dict[str, Any] = PREDICT_BODY["content"]["application/json"]["examples"]["load"]["value"]
_VALUES = [list(LOAD.values()), [240, *list(LOAD.values())[1:]]]
_ROWS: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": {"type": ["object", "array"], "description": "Features by name, or all of them in declared order"},
}


class Predictions(BaseModel):
    """One value a row."""

    predictions: list[float] = Field(description="The costs", examples=[[30.0, 60.0]])
    lower: list[float | None] = Field(examples=[[28.0, 56.0]])
    upper: list[float | None] = Field(examples=[[32.0, 64.0]])
    extrapolated: list[list[str]] = Field(
        description="Names of features outside the trained range", examples=[[[], []]]
    )
    model_name: str = Field(examples=[MODEL])
    model_version: int = Field(examples=[1])
    coverage: float = Field(examples=[0.9])


class ModelNames(BaseModel):
    """The models that answer."""

    models: list[str] = Field(examples=[["cnn-execution-time-cpu-torch", MODEL]])


class ModelState(BaseModel):
    """The model answers."""

    name: str = Field(examples=[MODEL])
    ready: bool = Field(examples=[True])


_OBJECT = {"type": "object", "additionalProperties": False}
INSTANCES = json_body(
    _OBJECT | {"properties": {"instances": _ROWS, "coverage": {"type": ["number", "null"]}}, "required": ["instances"]},
    {
        "objects": ("Features by name", {"instances": [LOAD, LOAD | {"request_rate": 240}]}),
        "rows": ("Features in declared order", {"instances": _VALUES}),
    },
)
SCORING = json_body(
    _OBJECT
    | {
        "properties": {
            "dataframe_split": {
                "type": "object",
                "properties": {
                    "columns": {"type": "array", "items": {"type": "string"}},
                    "data": {"type": "array", "items": {"type": "array"}},
                    "index": {"type": "array"},
                },
                "required": ["columns", "data"],
            },
            "dataframe_records": {"type": "array", "items": {"type": "object"}},
            "instances": _ROWS,
            "inputs": {"type": ["array", "object"], "description": "Rows, or a list of values for each feature"},
            "params": {
                "type": "object",
                "properties": {"model_name": {"type": ["string", "null"]}, "coverage": {"type": ["number", "null"]}},
                "additionalProperties": False,
            },
        }
    },
    {
        "split": ("Columns and rows", {"dataframe_split": {"columns": list(LOAD), "data": _VALUES}}),
        "records": ("Objects", {"dataframe_records": [LOAD, LOAD | {"request_rate": 240}]}),
        "rows": ("Features in declared order", {"inputs": _VALUES, "params": {"model_name": MODEL}}),
        "columns": (
            "A list for each feature",
            {"inputs": {name: [value, value] for name, value in LOAD.items()} | {"request_rate": [120, 240]}},
        ),
    },
)
SCORING["content"]["text/csv"] = {
    "schema": {"type": "string"},
    "example": "\n".join([",".join(LOAD), *(",".join(map(str, row)) for row in _VALUES), ""]),
}
