"""FastAPI's routes, one module a concept; what they share is in `_schemas` (for the documentation) and `_reply`."""

from perfcast.api.routers import _aliases as aliases
from perfcast.api.routers import _batch as batch
from perfcast.api.routers import _benchmark as benchmark
from perfcast.api.routers import _documentation as documentation
from perfcast.api.routers import _health as health
from perfcast.api.routers import _inference_protocol as inference_protocol
from perfcast.api.routers import _metrics as metrics
from perfcast.api.routers import _models as models
from perfcast.api.routers import _predict as predict
from perfcast.api.routers import _schedules as schedules
from perfcast.api.routers import _training as training
from perfcast.api.routers import _versions as versions

__all__ = [
    "aliases",
    "batch",
    "benchmark",
    "documentation",
    "health",
    "inference_protocol",
    "metrics",
    "models",
    "predict",
    "schedules",
    "training",
    "versions",
]
