"""One example of each answer, for the OpenAPI document; a test checks each against its schema."""

from typing import Any

_AT = "2026-03-01T10:30:00.000000Z"
_METRICS = {
    "rows": 1204,
    "mae": 0.41,
    "rmse": 1.9,
    "r2": 0.994,
    "mape": 7.9,
    "median_ape": 5.1,
    "coverage": {"0.9": 90.4},
    "width": {"0.9": 2.2},
    "relative_width": {"0.9": 33.1},
}
_GRAPH = {
    "sha256": "9f2c5a7d0e4b8c1f6a3d9e2b7c5f8a1d4e6b9c2f5a8d1e4b7c0f3a6d9e2b5c8f",
    "bytes": 412_905,
    "opset": 21,
    "ir": 10,
    "row_us": 12.4,
    "native_row_us": 690.0,
}
_ENTRY = {
    "type": "xgboost",
    "input_features": ["batch_size", "input_channels", "kernel_size"],
    "workload": "cnn-execution-time",
    "champion": 3,
    "versions": [1, 2, 3],
    "metrics": _METRICS,
    "loaded": True,
    "aliases": {"champion": 3, "challenger": 2},
    "traffic": {"champion": 90, "challenger": 10},
}
_MODEL = "cnn-execution-time-cpu-torch"

MODEL_LIST: dict[str, Any] = {
    "models": {_MODEL: _ENTRY},
    "total_models": 1,
    "not_loaded": [
        {
            "path": "prediction-training-cpu/rdf/best_rf_model.joblib",
            "model": "rf_prediction-training-cpu",
            "reason": "it reads 9 inputs, not the 7 of cnn-execution-time nor 8 with padding; put a model.yaml beside "
            "it with 'inputs:' and their names in its order",
        }
    ],
    "timestamp": _AT,
}
MODEL: dict[str, Any] = {
    "name": _MODEL,
    **_ENTRY,
    "dataset": "cpu-torch",
    "created_at": _AT,
    "features": [{"name": "batch_size", "type": "integer", "unit": "images", "minimum": 1, "maximum": 4096}],
    "versions": [
        {
            "version": 3,
            "label": "v1.2.0",
            "type": "xgboost",
            "created_at": _AT,
            "note": "",
            "notes": ["imported: it brings no metrics and no intervals"],
            "aliases": ["champion"],
            "metrics": _METRICS,
            "graph": _GRAPH,
            "calibrated": True,
        }
    ],
    "timestamp": _AT,
}
VERSION_METRICS: dict[str, Any] = {
    "model_name": _MODEL,
    "model_version": 3,
    "label": "v1.2.0",
    "type": "xgboost",
    "workload": "cnn-execution-time",
    "metrics": _METRICS,
    "search": {"trials": 20},
    "settings": {"max_depth": 6},
    "parity": {"rows": 1500, "worst": 3.1e-5, "p999": 8.0e-6},
    "data": {
        "name": "cpu-torch",
        "digest": "4be1f09c2d7a",
        "rows": 6020,
        "configurations": 6020,
        "parts": {"train": 3612, "calibrate": 1204, "test": 1204},
        "split": "by configuration",
        "until": "2026-02-28T23:59:00Z",
    },
    "graph": _GRAPH,
    "created_at": _AT,
    "timestamp": _AT,
}
ALIAS_MOVED: dict[str, Any] = {
    "model_name": _MODEL,
    "alias": "champion",
    "before": 2,
    "after": 3,
    "status": "success",
    "timestamp": _AT,
}
VERSION_ADDED: dict[str, Any] = {
    "model_name": _MODEL,
    "model_version": 4,
    "label": "v1.3.0",
    "type": "xgboost",
    "workload": "cnn-execution-time",
    "calibrated": False,
    "graph": _GRAPH | {"native_row_us": None},
    "created_at": _AT,
    "status": "success",
    "timestamp": _AT,
}
VERSION_DELETED: dict[str, Any] = {"model_name": _MODEL, "model_version": 4, "status": "success", "timestamp": _AT}
BENCHMARK: dict[str, Any] = {
    "model_name": _MODEL,
    "model_version": 3,
    "iterations": 100,
    "successful_predictions": 100,
    "avg_latency_ms": 0.0143,
    "min_latency_ms": 0.0126,
    "max_latency_ms": 0.0417,
    "p50_latency_ms": 0.0138,
    "p95_latency_ms": 0.0171,
    "p99_latency_ms": 0.0392,
    "predictions_per_second": 69930.1,
    "metrics": _METRICS,
    "cached": False,
    "timestamp": _AT,
}
