"""What clients of other model servers send, turned into batches of `/predict` bodies.

KServe's protocol version 1 (`_kserve_routes`) and MLflow's scoring server (`_mlflow_routes`). Both hand rows to
`answered`, so that reading, checks, routing, counting and records are those of `/predict/batch`.
"""

from perfcast.api.adapters._rows import Asked, answered, parsed, whole

__all__ = ["Asked", "answered", "parsed", "whole"]
