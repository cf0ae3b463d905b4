"""KServe manifests: Triton on the repository, and Perfcast itself as a custom predictor."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from perfcast import __version__
from perfcast.handover._triton import Handed, write_triton

DEFAULT_STORAGE = "pvc://perfcast-models/repository"
"""Where the repository is said to lie: a persistent volume claim."""
DEFAULT_IMAGE = f"perfcast:{__version__}"
_PORT = 8080
_LONGEST_NAME = 40


def write_kserve(
    folder: Path, version: Handed, *, storage: str = DEFAULT_STORAGE, image: str = DEFAULT_IMAGE
) -> list[Path]:
    """Write a Triton repository and two `InferenceService` manifests, of which one is to be applied.

    Args:
        folder: Gets `repository/`, `triton.yaml` and `perfcast.yaml`.
        version: What to write.
        storage: Where the cluster finds the repository once it is uploaded.
        image: The container image that serves Perfcast.

    Returns:
        What was written.
    """
    written = write_triton(folder / "repository", version)
    for name, manifest in {
        "triton.yaml": triton_service(version.model, storage),
        "perfcast.yaml": perfcast_service(version.model, image),
    }.items():
        (folder / name).write_text(yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True), encoding="utf-8")
        written.append(folder / name)
    return written


def triton_service(model: str, storage: str) -> Mapping[str, Any]:
    """The repository served by KServe's own Triton runtime."""
    served = {
        "modelFormat": {"name": "triton", "version": "2"},
        "runtime": "kserve-tritonserver",
        "protocolVersion": "v2",
        "storageUri": storage,
        "resources": _resources(memory="1Gi"),
    }
    return _service(model, {"model": served})


def perfcast_service(model: str, image: str) -> Mapping[str, Any]:
    """Perfcast as a custom predictor on its shared registry: intervals, checks and every model in it."""
    container = {
        "name": "kserve-container",
        "image": image,
        "command": ["perfcast", "serve"],
        "env": [
            {"name": "API_HOST", "value": "0.0.0.0"},  # noqa: S104  # inside a pod
            {"name": "API_PORT", "value": str(_PORT)},
            {"name": "LOG_FORMAT", "value": "json"},
            _from_secret("DATABASE_URL", "database-url"),
            _from_secret("ARTIFACTS_URL", "artifacts-url"),
        ],
        "ports": [{"containerPort": _PORT, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": f"/v2/models/{model}/ready", "port": _PORT}, "periodSeconds": 5},
        "livenessProbe": {"httpGet": {"path": "/v2/health/live", "port": _PORT}, "periodSeconds": 10},
        "resources": _resources(memory="512Mi"),
    }
    return _service(model, {"containers": [container]})


def _service(model: str, predictor: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": service_name(model)},
        "spec": {"predictor": predictor},
    }


def service_name(model: str) -> str:
    """The model's name as KServe allows it: lower-case letters, digits and hyphens, a letter first."""
    name = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")
    return (name if name[:1].isalpha() else f"model-{name}")[:_LONGEST_NAME].rstrip("-")


def _from_secret(variable: str, key: str) -> Mapping[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": "perfcast", "key": key}}}


def _resources(*, memory: str) -> Mapping[str, Any]:
    return {"requests": {"cpu": "1", "memory": memory}, "limits": {"cpu": "1", "memory": memory}}
