"""What MLflow is told, and that nothing it does can fail a job.

The server here is a small real one that records calls and answers as MLflow's REST reference says; the same export was
checked once by hand against `mlflow server` 3.
"""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from tests.drafts import draft, weighted

from perfcast.jobs import _mlflow
from perfcast.jobs._mlflow import export
from perfcast.registry import Version
from perfcast.workloads import builtin_workloads

DRAFT = draft(builtin_workloads()["cpu-utilization"], weighted(builtin_workloads()["cpu-utilization"], request_rate=1))
VERSION = Version("shop", 3, None, DRAFT.manifest, "", "2026-01-01T00:00:00Z")


class Server(ThreadingHTTPServer):
    """Answers as told, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[str, str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.known = False
        self.fails_at = ""
        self.sleeps = 0.0
        self.artifacts = "mlflow-artifacts:/7/r1/artifacts"
        self.address = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.headers.append(dict(self.headers))
        content = body if "mlflow-artifacts" in self.path else json.loads(body or b"null")
        self.server.calls.append((self.command, self.path, content))
        time.sleep(self.server.sleeps)
        status, answer = self._content()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def _content(self) -> tuple[int, dict[str, Any]]:
        if self.server.fails_at and self.server.fails_at in self.path:
            return 500, {"error_code": "INTERNAL_ERROR"}
        if "get-by-name" in self.path and not self.server.known:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}
        if "experiments/create" in self.path:
            return 200, {"experiment_id": "7"}
        if "get-by-name" in self.path:
            return 200, {"experiment": {"experiment_id": "7"}}
        if "runs/create" in self.path:
            return 200, {"run": {"info": {"run_id": "r1", "artifact_uri": self.server.artifacts}}}
        return 200, {}


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def told(server: Server, path: str) -> Any:
    (content,) = [content for _, called, content in server.calls if called.endswith(path)]
    return content


def test_a_version_becomes_a_run_with_parameters_metrics_tags_and_the_graph(server: Server) -> None:
    assert export(VERSION, DRAFT.graph, "promoted: better", address=server.address)
    assert told(server, "experiments/create") == {"name": "perfcast"}
    assert told(server, "runs/create")["experiment_id"] == "7"
    assert told(server, "runs/create")["run_name"] == "shop:3"
    batch = told(server, "runs/log-batch")
    assert batch["run_id"] == "r1"
    assert {"key": "family", "value": "xgboost"} in batch["params"]
    metrics = {metric["key"]: metric["value"] for metric in batch["metrics"]}
    assert (metrics["test.mae"], metrics["test.rmse"], metrics["tuning.trials"]) == (1.5, 2.0, 20)
    assert {"key": "perfcast.outcome", "value": "promoted: better"} in batch["tags"]
    assert told(server, "mlflow-artifacts/artifacts/7/r1/artifacts/model.onnx") == DRAFT.graph
    assert json.loads(told(server, "/manifest.json"))["type"] == "xgboost"
    assert told(server, "runs/update")["status"] == "FINISHED"


def test_a_known_experiment_is_not_made_again(server: Server) -> None:
    server.known = True
    assert export(VERSION, DRAFT.graph, "", address=server.address)
    assert not [path for _, path, _ in server.calls if "experiments/create" in path]


def test_name_and_password_in_the_address_are_sent_as_a_header_and_not_logged(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(VERSION, DRAFT.graph, "", address=server.address.replace("http://", "http://ann:secret@"))
    assert {headers["Authorization"] for headers in server.headers} == {"Basic YW5uOnNlY3JldA=="}
    shown = capsys.readouterr()
    assert "secret" not in shown.out + shown.err


def test_artifacts_that_only_mlflows_own_clients_reach_are_left_out(server: Server) -> None:
    server.artifacts = "s3://bucket/7/r1/artifacts"
    assert export(VERSION, DRAFT.graph, "", address=server.address)
    assert not [path for _, path, _ in server.calls if "mlflow-artifacts" in path]
    assert told(server, "runs/update")["status"] == "FINISHED"


@pytest.mark.parametrize("step", ["get-by-name", "runs/create", "log-batch", "mlflow-artifacts", "runs/update"])
def test_an_error_at_any_step_is_a_warning(server: Server, step: str, capsys: pytest.CaptureFixture[str]) -> None:
    server.fails_at = step
    assert not export(VERSION, DRAFT.graph, "", address=server.address)
    shown = capsys.readouterr()
    assert "status 500" in shown.out + shown.err


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "file:///tmp/mlruns", "not an address", "http://[bad"])
def test_an_address_where_nothing_answers_is_a_warning(address: str) -> None:
    assert not export(VERSION, DRAFT.graph, "", address=address)


def test_without_an_address_nothing_happens() -> None:
    assert not export(VERSION, DRAFT.graph, "", address="")


def test_a_server_that_hangs_is_left_after_a_while(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mlflow, "REQUEST_SECONDS", 0.2)
    server.sleeps = 1.0
    begun = time.monotonic()
    assert not export(VERSION, DRAFT.graph, "", address=server.address)
    assert time.monotonic() - begun < 1


def test_a_server_slow_at_every_step_is_left_after_a_while(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mlflow, "TOTAL_SECONDS", 0.5)
    server.sleeps = 0.2
    begun = time.monotonic()
    assert not export(VERSION, DRAFT.graph, "", address=server.address)
    assert time.monotonic() - begun < 1.2
