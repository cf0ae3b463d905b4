"""One example of each answer about aliases and traffic, for the OpenAPI document; a test checks each."""

from typing import Any

_AT = "2026-03-01T10:30:00.000000Z"
_MODEL = "cnn-execution-time-cpu-torch"

ALIAS_SET: dict[str, Any] = {
    "model_name": _MODEL,
    "alias": "challenger",
    "before": None,
    "after": 4,
    "status": "success",
    "timestamp": _AT,
}
ALIAS_CLEARED: dict[str, Any] = ALIAS_SET | {"alias": "shadow", "before": 4, "after": None}
TRAFFIC: dict[str, Any] = {
    "model_name": _MODEL,
    "champion": 90,
    "challenger": 10,
    "arms": {
        "champion": {"version": 3, "share": 90, "predictions": 90_412, "mean_ms": 0.031},
        "challenger": {"version": 4, "share": 10, "predictions": 10_020, "mean_ms": 0.029},
        "shadow": {"version": 2, "share": 0, "predictions": 100_430, "mean_ms": 0.012},
    },
    "counted_for_seconds": 3600.2,
    "timestamp": _AT,
}
TRAFFIC_MOVED: dict[str, Any] = TRAFFIC | {"before": {"champion": 100, "challenger": 0}, "status": "success"}
HISTORY: dict[str, Any] = {
    "model_name": _MODEL,
    "total_events": 2,
    "history": [
        {
            "alias": "challenger",
            "kind": "traffic",
            "before": 4,
            "after": 4,
            "reason": "",
            "actor": "api",
            "at": _AT,
            "share_before": 0,
            "share_after": 10,
        },
        {
            "alias": "challenger",
            "kind": "point",
            "before": None,
            "after": 4,
            "reason": "better at night",
            "actor": "cli",
            "at": _AT,
            "share_before": None,
            "share_after": None,
        },
    ],
    "timestamp": _AT,
}
