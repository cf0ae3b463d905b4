"""One example of each answer about the service, for the OpenAPI document; a test checks each."""

from typing import Any

_AT = "2026-03-01T10:30:00.000000Z"
HEALTH: dict[str, Any] = {
    "status": "healthy",
    "timestamp": _AT,
    "uptime_seconds": 86400.5,
    "models_loaded": 3,
    "system_info": {"cpu_percent": 7.5, "memory_percent": 41.2, "disk_percent": 63.0, "available_memory_gb": 9.41},
    "inference": {"device": "cpu", "provider": "CPUExecutionProvider", "runtime": "1.31.1"},
    "dependencies": {
        "database": {"status": "up", "latency_ms": 0.21},
        "artifacts": {"status": "up", "latency_ms": 0.05},
    },
    "problems": {},
    "notes": {},
    "version": "0.1.0",
}
UNHEALTHY: dict[str, Any] = HEALTH | {
    "status": "unhealthy",
    "models_loaded": 0,
    "dependencies": {
        "database": {"status": "down", "reason": "no answer for 9 s"},
        "artifacts": {"status": "up", "latency_ms": 0.05},
    },
}
ALIVE: dict[str, Any] = {"status": "alive"}
READY: dict[str, Any] = {"status": "ready"}
NOT_READY: dict[str, Any] = {"status": "not ready", "reason": "no usable model; `perfcast up` makes the starter models"}
INDEX: dict[str, Any] = {
    "service": "perfcast",
    "version": "0.1.0",
    "see": {
        "documentation": "/docs",
        "models": "/models",
        "predict": "/predict",
        "health": "/health",
        "metrics": "/metrics",
    },
}
