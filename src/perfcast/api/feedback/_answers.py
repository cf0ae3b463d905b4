"""What actuals and the answers to them look like, for the OpenAPI document; tests hold real answers against these."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from perfcast.api.feedback._items import MOST_ITEMS
from perfcast.api.http._schemas import Time, json_body
from perfcast.api.predict import LOAD

_ID = "019d2f4c3a17c0ffee00000002"
_BY_ID = {"prediction_id": _ID, "actual": 48.2}
_BY_FEATURES = {
    "model_name": "cpu-utilization",
    "features": LOAD,
    "actual": 48.2,
    "measured_at": "2026-03-01T10:29:00Z",
}
_ACTUAL: dict[str, Any] = {"type": "number", "description": "The true cost, in the cost's unit"}
_MEASURED: dict[str, Any] = {
    "type": ["string", "number", "null"],
    "description": "When it was measured; without it, when it was predicted",
}
_ITEM: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "properties": {
                "prediction_id": {"type": "string", "description": "As the answer said it"},
                "actual": _ACTUAL,
                "measured_at": _MEASURED,
            },
            "required": ["prediction_id", "actual"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "description": "A `/predict` body, in any of its forms, with the actual beside it",
            "properties": {
                "model_name": {"type": ["string", "null"], "description": "NAME, NAME:VERSION or NAME@ALIAS"},
                "features": {"type": "object", "description": "The features by name"},
                "actual": _ACTUAL,
                "measured_at": _MEASURED,
            },
            "required": ["actual"],
            "not": {"required": ["prediction_id"]},
        },
    ]
}
_LIST: dict[str, Any] = {
    "type": "array",
    "description": "Such objects; whatever is none is refused in its place",
    "items": {"anyOf": [_ITEM, {}]},
    "minItems": 1,
    "maxItems": MOST_ITEMS,
}
BODY = json_body(
    {"oneOf": [_ITEM, _LIST]},
    {
        "by id": ("The actual of a prediction", _BY_ID),
        "by features": ("An actual with its features", _BY_FEATURES),
        "list": ("Several", [_BY_FEATURES, _BY_FEATURES | {"measured_at": "2026-03-01T10:30:00Z"}]),
    },
)


class Result(BaseModel):
    """What became of one actual."""

    status: Literal["accepted", "repeated", "refused"] = Field(
        description="`repeated`: it was told before, and counts once", examples=["accepted"]
    )
    prediction_id: str | None = Field(None, description="Of its prediction, where that is known", examples=[_ID])
    error: str | None = Field(None, description="Why it is refused")


class FeedbackTaken(BaseModel):
    """What became of the actuals, in the order in which they were told."""

    results: list[Result]
    accepted: int = Field(examples=[1])
    repeated: int = Field(examples=[0])
    refused: int = Field(examples=[0])
    timestamp: Time
