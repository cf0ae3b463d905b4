"""The answer to one body of a list, as a struct that msgspec writes."""

from functools import lru_cache
from typing import Any

import msgspec

_FIELDS: tuple[tuple[str, Any], ...] = (
    ("model_name", str),
    ("model_type", str),
    ("prediction_timestamp", str),
    ("status", str),
    ("model_version", int),
    ("lower", float | None),
    ("upper", float | None),
    ("coverage", float),
    ("extrapolated", list[str]),
    ("prediction_id", str),
)


@lru_cache(maxsize=256)
def answer_shape(cost: str) -> Any:
    """The struct type of answers whose cost has that name; the same fields as `/predict`'s, in their order."""
    return msgspec.defstruct("Answer", [(cost, float), *_FIELDS], gc=False)
