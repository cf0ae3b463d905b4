"""One way out to MLflow: a version written there as a run, through its REST API. Failing to never fails a job.

The calls are those of https://mlflow.org/docs/latest/api_reference/rest-api.html, made with the standard library: the
package `mlflow-skinny` would bring a dozen more for five requests.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

import structlog

from perfcast.registry import Version

REQUEST_SECONDS = 5.0
TOTAL_SECONDS = 20.0
EXPERIMENT = "perfcast"
_API = "/api/2.0/mlflow"
_ARTIFACTS = "mlflow-artifacts:/"
_MOST_PARAMETERS, _LONGEST_PARAMETER = 100, 6000
"""Of one request, and characters of one value; MLflow refuses more."""

log = structlog.stdlib.get_logger("perfcast.jobs")


def export(version: Version, graph: bytes, outcome: str, *, address: str, experiment: str = EXPERIMENT) -> bool:
    """Write a version to MLflow: parameters, metrics, tags, manifest and graph.

    Args:
        version: What the registry says about it.
        graph: Its serialised ONNX graph.
        outcome: What the promotion gate said.
        address: `MLFLOW_TRACKING_URI`; a name and password may stand in it. Nothing is done where it is empty.
        experiment: Name of MLflow's experiment; made where there is none.

    Returns:
        Whether all of it arrived; else the log has a warning. Takes at most `TOTAL_SECONDS`.
    """
    if not address:
        return False
    name = f"{version.model}:{version.number}"
    try:
        server = _Server(address)
        run = _write(server, version, graph, outcome, server.experiment(experiment))
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        log.warning("not exported to MLflow; the version itself is safe", version=name, reason=_reason(error))
        return False
    log.info("exported to MLflow", version=name, run=run)
    return True


def _write(server: "_Server", version: Version, graph: bytes, outcome: str, experiment: str) -> str:
    manifest, name = version.manifest, f"{version.model}:{version.number}"
    ended = int(datetime.fromisoformat(manifest.created_at).timestamp() * 1000)
    begun = ended - int(1000 * (manifest.seconds or 0))
    request = {"experiment_id": experiment, "run_name": name, "start_time": begun}
    run = server.post("runs/create", request)["run"]["info"]
    batch = {
        "run_id": run["run_id"],
        "params": _pairs(_parameters(version))[:_MOST_PARAMETERS],
        "metrics": [
            {"key": key, "value": value, "timestamp": ended, "step": 0} for key, value in _metrics(version).items()
        ],
        "tags": _pairs(_tags(version, outcome)),
    }
    server.post("runs/log-batch", batch)
    if str(run.get("artifact_uri", "")).startswith(_ARTIFACTS):
        server.put_artifact(run["artifact_uri"], "model.onnx", graph)
        server.put_artifact(run["artifact_uri"], "manifest.json", manifest.to_json())
    else:
        log.warning("MLflow keeps artifacts where only its own clients reach them; the graph stays here", version=name)
    server.post("runs/update", {"run_id": run["run_id"], "status": "FINISHED", "end_time": ended})
    return str(run["run_id"])


class _Server:
    """MLflow's tracking server; every request is bounded, and all of them together."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"MLFLOW_TRACKING_URI must be http://… or https://…, got '{parts.scheme}://…'")
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        self._root = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
        self._headers = {"User-Agent": "perfcast"}
        if parts.username:
            secret = base64.b64encode(f"{parts.username}:{parts.password or ''}".encode()).decode()
            self._headers["Authorization"] = f"Basic {secret}"
        self._deadline = time.monotonic() + TOTAL_SECONDS

    def experiment(self, name: str) -> str:
        """The experiment's id, made where there is none."""
        try:
            found = self._call("GET", f"{_API}/experiments/get-by-name?experiment_name={quote(name)}")
            return str(found["experiment"]["experiment_id"])
        except HTTPError as error:
            if error.code != 404:
                raise
        return str(self.post("experiments/create", {"name": name})["experiment_id"])

    def post(self, method: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """A call of the REST API."""
        return self._call("POST", f"{_API}/{method}", json.dumps(content, default=str).encode())

    def put_artifact(self, folder: str, name: str, content: bytes) -> None:
        """Upload a file to a run, through the tracking server."""
        path = f"{folder.removeprefix(_ARTIFACTS).strip('/')}/{name}"
        self._call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{quote(path)}", content, "application/octet-stream")

    def _call(self, verb: str, path: str, body: bytes | None = None, kind: str = "application/json") -> dict[str, Any]:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"MLflow took more than {TOTAL_SECONDS:.0f} s")
        headers = {**self._headers, "Content-Type": kind}
        request = Request(self._root + path, body, headers, method=verb)  # noqa: S310 - the scheme was checked
        with urlopen(request, timeout=min(REQUEST_SECONDS, left)) as answer:  # noqa: S310
            content = json.loads(answer.read() or b"{}")
        if not isinstance(content, dict):
            raise TypeError(f"expected an object from {path.partition('?')[0]}")
        return content


def _parameters(version: Version) -> Mapping[str, Any]:
    manifest = version.manifest
    about = {"family": manifest.type, "workload": manifest.workload.get("name"), "seed": manifest.search.get("seed")}
    if manifest.data is not None:
        about |= {"dataset": manifest.data.name, "dataset_digest": manifest.data.digest, "rows": manifest.data.rows}
    return about | dict(_flat("", manifest.settings))


def _metrics(version: Version) -> dict[str, float]:
    manifest, found = version.manifest, {}
    if manifest.metrics is not None:
        plain = {name: getattr(manifest.metrics, name) for name in manifest.metrics.__struct_fields__}
        found = dict(_flat("test", plain))
    extra = {
        "tuning.score": manifest.search.get("score"),
        "tuning.trials": manifest.search.get("trials"),
        "tuning.seconds": manifest.search.get("seconds"),
        "graph.bytes": manifest.graph.bytes,
        "graph.row_us": manifest.graph.row_us,
    }
    numbers = (found | extra).items()
    return {name: float(value) for name, value in numbers if isinstance(value, int | float)}


def _tags(version: Version, outcome: str) -> Mapping[str, Any]:
    return {
        "perfcast.model": version.model,
        "perfcast.version": version.number,
        "perfcast.outcome": outcome,
        "perfcast.graph_sha256": version.manifest.graph.sha256,
        "perfcast.libraries": json.dumps(dict(version.manifest.libraries)),
    }


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Nested names joined by dots."""
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from _flat(name, value)
        elif value is not None:
            yield name, value


def _pairs(values: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {"key": name, "value": str(value)[:_LONGEST_PARAMETER]} for name, value in values.items() if value is not None
    ]


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        with error:
            return f"status {error.code}: {error.read(300).decode(errors='replace')}"
    return str(error) or type(error).__name__
