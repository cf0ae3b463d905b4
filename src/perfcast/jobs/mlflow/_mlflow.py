"""One way out to MLflow: a job written there as one run, through its REST API.

The calls are those of https://mlflow.org/docs/latest/api_reference/rest-api.html, made with the standard library: the
package `mlflow-skinny` would bring forty more for six requests, and bound neither time nor redirects
(docs/decisions/0007-libraries-tried.md).
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from datetime import datetime
from http.client import HTTPException
from math import isfinite
from typing import Any, NoReturn, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec
import structlog

from perfcast.jobs.queue import Job
from perfcast.manifest import Manifest
from perfcast.registry import Version

REQUEST_SECONDS = 5.0
TOTAL_SECONDS = 20.0
EXPERIMENT = "perfcast"
STATUSES: Mapping[str, str] = {"succeeded": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}
"""What MLflow calls the ways in which a job may end."""
JOB_TAG = "perfcast.job"
"""By this a job's run is found again."""
_API = "/api/2.0/mlflow"
_ARTIFACTS = "mlflow-artifacts:/"
_MOST_PARAMETERS, _LONGEST_VALUE = 100, 5000
"""Of one request, and characters of one value; MLflow refuses more."""
_MOST_BYTES = 10_000_000
_PIECE_BYTES = 65_536
_SAID_BYTES = 300
_THREAD = "perfcast-mlflow-call"
_T = TypeVar("_T")

log = structlog.stdlib.get_logger("perfcast.jobs")


def export(job: Job, best: Version | None, graph: bytes | None, *, address: str) -> str | None:
    """Write a finished job to MLflow: parameters, metrics, tags, and of its best version the manifest and the graph.

    The run is found again by the job's id, so doing it twice leaves one run. Gives the run's id once all of it has
    arrived, within `TOTAL_SECONDS`; else None, and the log has a warning. In the address, `MLFLOW_TRACKING_URI`, a name
    and password may stand, with `%40` for `@` and so on.
    """
    try:
        run = _within(TOTAL_SECONDS, lambda: _write(_Server(address), job, best, graph))
    except (OSError, HTTPException, ValueError, KeyError, TypeError, IndexError) as error:
        reason = str(error) or type(error).__name__
        log.warning("not exported to MLflow; the job itself is safe", job=job.id, reason=reason)
        return None
    log.info("exported to MLflow", job=job.id, run=run)
    return run


def _within(seconds: float, call: Callable[[], _T]) -> _T:
    """What a call gives or raises, or `TimeoutError`: a server that drips may hold it up for ever, and is left."""
    if any(thread.name == _THREAD for thread in threading.enumerate()):
        raise TimeoutError("an earlier call still hangs")
    future: Future[_T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            future.set_exception(error)

    threading.Thread(target=work, name=_THREAD, daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError as error:
        raise error if future.done() else TimeoutError(f"MLflow took more than {seconds:g} s") from None


def _write(server: "_Server", job: Job, best: Version | None, graph: bytes | None) -> str:
    ended = _milliseconds(job.finished_at or job.created_at)
    begun = _milliseconds(job.started_at or job.created_at)
    name = f"{job.request.model}:{best.number}" if best is not None else f"{job.request.model} ({job.status})"
    run = server.run(job.id, server.experiment(EXPERIMENT), name, begun)
    batch = {
        "run_id": run["run_id"],
        "params": _pairs(_parameters(job, best))[:_MOST_PARAMETERS],
        "metrics": [
            {"key": key, "value": value, "timestamp": ended, "step": 0} for key, value in _metrics(job, best).items()
        ],
        "tags": _pairs(_tags(job, best)),
    }
    server.post("runs/log-batch", batch)
    if best is not None:
        _put_artifacts(server, str(run.get("artifact_uri", "")), best, graph)
    server.post("runs/update", {"run_id": run["run_id"], "status": STATUSES[job.status], "end_time": ended})
    return str(run["run_id"])


def _put_artifacts(server: "_Server", folder: str, best: Version, graph: bytes | None) -> None:
    if not folder.startswith(_ARTIFACTS):
        log.warning("MLflow keeps artifacts where only its own clients reach them; the graph stays here", at=folder)
        return
    if graph is not None:
        server.put_artifact(folder, "model.onnx", graph)
    server.put_artifact(folder, "manifest.json", best.manifest.to_json())


class _NoRedirects(HTTPRedirectHandler):
    """Goes nowhere else: the password is for this address, and a redirected POST would lose its body."""

    def redirect_request(self, *given: Any, **_: Any) -> NoReturn:
        """Given request, file, status, message, headers and the new address."""
        code, where = given[2], urlsplit(given[5])
        raise OSError(
            f"the server redirects ({code}) to {where.scheme}://{where.netloc.rpartition('@')[2]}{where.path}; "
            "set MLFLOW_TRACKING_URI to where it is"
        )


class _Refusal(OSError):
    """The server answered with an error; `said` is the beginning of its answer."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(f"status {code}: {said}")
        self.code = code


class _Server:
    """MLflow's tracking server; every request is bounded."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"MLFLOW_TRACKING_URI must be http://… or https://…, got '{parts.scheme}://…'")
        host = parts.netloc.rpartition("@")[2]
        self._root = f"{parts.scheme}://{host}{parts.path.rstrip('/')}"
        self._headers = {"User-Agent": "perfcast"}
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._open = build_opener(_NoRedirects).open
        self._deadline = time.monotonic() + TOTAL_SECONDS

    def experiment(self, name: str) -> str:
        """The experiment's id, made where there is none."""
        try:
            found = self._call("GET", f"{_API}/experiments/get-by-name?experiment_name={quote(name)}")
            return str(found["experiment"]["experiment_id"])
        except _Refusal as error:
            if error.code != 404:
                raise
        return str(self.post("experiments/create", {"name": name})["experiment_id"])

    def run(self, job: str, experiment: str, name: str, begun: int) -> dict[str, Any]:
        """What MLflow says about the job's run, made where there is none; `begun` in milliseconds since 1970."""
        wanted = f"tags.\"{JOB_TAG}\" = '{job}'"
        search = {"experiment_ids": [experiment], "filter": wanted, "max_results": 1}
        found = self.post("runs/search", search).get("runs")
        if not found:
            tags = [{"key": JOB_TAG, "value": job}]
            request = {"experiment_id": experiment, "run_name": name, "start_time": begun, "tags": tags}
            found = [self.post("runs/create", request)["run"]]
        info: dict[str, Any] = found[0]["info"]
        return info

    def post(self, method: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """A call of the REST API."""
        return self._call("POST", f"{_API}/{method}", json.dumps(content, default=str).encode())

    def put_artifact(self, folder: str, name: str, content: bytes) -> None:
        """Upload a file to a run, through the tracking server."""
        path = f"{folder.removeprefix(_ARTIFACTS).strip('/')}/{name}"
        self._call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{quote(path)}", content, "application/octet-stream")

    def _call(self, verb: str, path: str, body: bytes | None = None, kind: str = "application/json") -> dict[str, Any]:
        headers = {**self._headers, "Content-Type": kind}
        request = Request(self._root + path, body, headers, method=verb)  # noqa: S310 - the scheme was checked
        with self._answer(request) as answer:
            received = bytearray()
            while piece := answer.read1(_PIECE_BYTES):
                received += piece
                self._left()
                if len(received) > _MOST_BYTES:
                    raise ValueError(f"the answer to {path.partition('?')[0]} has no end")
        content = json.loads(received or b"{}")
        if not isinstance(content, dict):
            raise TypeError(f"expected an object from {path.partition('?')[0]}")
        return content

    def _answer(self, request: Request) -> Any:
        try:
            return self._open(request, timeout=min(REQUEST_SECONDS, self._left()))
        except HTTPError as error:
            with error:
                said = error.read1(_SAID_BYTES)  # what comes at once: the rest may drip
            raise _Refusal(error.code, said.decode(errors="replace")) from None

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"MLflow took more than {TOTAL_SECONDS:g} s")
        return left


def _parameters(job: Job, best: Version | None) -> Mapping[str, Any]:
    request = job.request
    about: dict[str, Any] = {
        "workload": request.workload,
        "dataset": request.dataset,
        "dataset_digest": request.digest,
        "n_trials": request.n_trials,
        "timeout_seconds": request.timeout_seconds,
        "seed": request.seed,
        "families": ",".join(request.families) or "all",
        "promote": request.promote,
    }
    if best is None:
        return about
    manifest = best.manifest
    about |= {"family": manifest.type, "rows": None if manifest.data is None else manifest.data.rows}
    return about | dict(_flat("", manifest.settings))


def _metrics(job: Job, best: Version | None) -> dict[str, float]:
    found: dict[str, Any] = {
        "job.attempts": job.tries,
        "job.best_score": job.progress.best_score,
        "job.seconds": job.spent_seconds,
        "job.trials": job.progress.trial,
    }
    if best is not None:
        found |= _metrics_of(best.manifest)
    return {name: float(value) for name, value in found.items() if isinstance(value, int | float) and isfinite(value)}


def _metrics_of(manifest: Manifest) -> dict[str, Any]:
    held_out = {} if manifest.metrics is None else msgspec.structs.asdict(manifest.metrics)
    return dict(_flat("test", held_out)) | {
        "tuning.score": manifest.search.get("score"),
        "tuning.trials": manifest.search.get("trials"),
        "tuning.seconds": manifest.search.get("seconds"),
        "graph.bytes": manifest.graph.bytes,
        "graph.row_us": manifest.graph.row_us,
    }


def _tags(job: Job, best: Version | None) -> Mapping[str, Any]:
    tags: dict[str, Any] = {
        JOB_TAG: job.id,
        "perfcast.status": job.status,
        "perfcast.model": job.request.model,
        "perfcast.error": job.error,
    }
    if best is None:
        return tags
    return tags | {
        "perfcast.version": best.number,
        "perfcast.outcome": job.outcome,
        "perfcast.graph_sha256": best.manifest.graph.sha256,
        "perfcast.libraries": json.dumps(dict(best.manifest.libraries)),
    }


def _milliseconds(at: str) -> int:
    """Since 1970."""
    return int(datetime.fromisoformat(at).timestamp() * 1000)


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Nested names joined by dots."""
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from _flat(name, value)
        elif value is not None:
            yield name, value


def _pairs(values: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"key": name, "value": str(value)[:_LONGEST_VALUE]} for name, value in values.items() if value is not None]
