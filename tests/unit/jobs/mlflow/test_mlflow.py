"""What MLflow is told, and that nothing it does can fail a job.

The server of `tests/mlflow_server.py` stands for MLflow's; the same export was checked by hand against `mlflow server`
3.17.2: a job that succeeded, one that failed and one that was cancelled, each written twice, made three runs.
"""

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from tests.drafts import draft, weighted
from tests.mlflow_server import Server, running

from perfcast.jobs import Job
from perfcast.jobs.mlflow import _mlflow
from perfcast.jobs.mlflow._mlflow import export
from perfcast.jobs.queue import JobRequest, Progress
from perfcast.jobs.queue._job import Status
from perfcast.registry import Version
from perfcast.workloads import builtin_workloads

DRAFT = draft(builtin_workloads()["cpu-utilization"], weighted(builtin_workloads()["cpu-utilization"], request_rate=1))
VERSION = Version("shop", 3, None, DRAFT.manifest, "", "2026-01-01T00:00:00Z")
REQUEST = JobRequest(model="shop", workload="cpu-utilization", dataset="rows", digest="d1", n_trials=20)


def ended(status: Status, error: str | None = None) -> Job:
    """A job that has ended so."""
    return Job(
        id="j1",
        status=status,
        request=REQUEST,
        created_at="2026-01-01T00:00:00Z",
        started_at="2026-01-01T00:00:01Z",
        finished_at="2026-01-01T00:00:31Z",
        heartbeat_at=None,
        retry_at=None,
        cancel_requested_at=None,
        worker="w",
        attempt=3,
        handed_back=1,
        spent_seconds=29.5,
        progress=Progress("searching", 0.4, 8, 2.5, "xgboost"),
        versions=(3,) if status == "succeeded" else None,
        model_version=3 if status == "succeeded" else None,
        outcome="promoted: better" if status == "succeeded" else "",
        error=error,
    )


JOB = ended("succeeded")


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def told(server: Server, path: str) -> Any:
    (content,) = [content for _, called, content in server.calls if called.endswith(path)]
    return content


def test_a_version_becomes_a_run_with_parameters_metrics_tags_and_the_graph(server: Server) -> None:
    assert export(JOB, VERSION, DRAFT.graph, address=server.address) == "r1"
    assert told(server, "experiments/create") == {"name": "perfcast"}
    assert told(server, "runs/create")["experiment_id"] == "7"
    assert told(server, "runs/create")["run_name"] == "shop:3"
    assert told(server, "runs/create")["tags"] == [{"key": "perfcast.job", "value": "j1"}]
    batch = told(server, "runs/log-batch")
    assert batch["run_id"] == "r1"
    assert {"key": "family", "value": "xgboost"} in batch["params"]
    metrics = {metric["key"]: metric["value"] for metric in batch["metrics"]}
    assert (metrics["test.mae"], metrics["test.rmse"], metrics["tuning.trials"]) == (1.5, 2.0, 20)
    assert {"key": "perfcast.outcome", "value": "promoted: better"} in batch["tags"]
    assert told(server, "mlflow-artifacts/artifacts/7/r1/artifacts/model.onnx") == DRAFT.graph
    assert json.loads(told(server, "/manifest.json"))["type"] == "xgboost"
    finished = {"run_id": "r1", "status": "FINISHED", "end_time": 1767225631000}
    assert told(server, "runs/update") == finished


@pytest.mark.parametrize(("status", "theirs"), [("failed", "FAILED"), ("cancelled", "KILLED")])
def test_a_job_without_a_version_becomes_a_run_that_says_how_it_ended(
    server: Server, status: Status, theirs: str
) -> None:
    assert export(ended(status, "out of memory"), None, None, address=server.address) == "r1"
    assert told(server, "runs/create")["run_name"] == f"shop ({status})"
    batch = told(server, "runs/log-batch")
    metrics = {metric["key"]: metric["value"] for metric in batch["metrics"]}
    assert metrics == {"job.attempts": 2, "job.best_score": 2.5, "job.seconds": 29.5, "job.trials": 8}
    assert {"key": "dataset", "value": "rows"} in batch["params"]
    assert {"key": "perfcast.error", "value": "out of memory"} in batch["tags"]
    assert told(server, "runs/update")["status"] == theirs
    assert not [path for _, path, _ in server.calls if "mlflow-artifacts" in path]


def test_a_job_that_is_written_again_after_it_was_cut_short_still_has_one_run(server: Server) -> None:
    server.fails_at = "log-batch"
    assert export(JOB, VERSION, DRAFT.graph, address=server.address) is None
    server.fails_at = ""
    assert export(JOB, VERSION, DRAFT.graph, address=server.address) == "r1"
    assert server.runs == ["r1"]
    searched = [content for _, path, content in server.calls if path.endswith("runs/search")]
    assert searched[0] == {"experiment_ids": ["7"], "filter": "tags.\"perfcast.job\" = 'j1'", "max_results": 1}


def test_a_known_experiment_is_not_made_again(server: Server) -> None:
    server.known = True
    assert export(JOB, VERSION, DRAFT.graph, address=server.address)
    assert not [path for _, path, _ in server.calls if "experiments/create" in path]


@pytest.mark.parametrize(
    ("given", "sent"), [("ann:secret", "ann:secret"), ("ann%40shop:se%2Fcr%3Aet", "ann@shop:se/cr:et"), ("ann", "ann:")]
)
def test_name_and_password_in_the_address_are_sent_as_a_header_and_not_logged(
    server: Server, capsys: pytest.CaptureFixture[str], given: str, sent: str
) -> None:
    assert export(JOB, VERSION, DRAFT.graph, address=server.address.replace("http://", f"http://{given}@"))
    expected = "Basic " + base64.b64encode(sent.encode()).decode()
    assert {headers["Authorization"] for headers in server.headers} == {expected}
    shown = capsys.readouterr()
    assert "secret" not in shown.out + shown.err


def test_a_redirect_is_not_followed_so_the_password_goes_nowhere_else(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    with running() as other:
        server.redirects_to = f"{other.address}/elsewhere"
        assert (
            export(JOB, VERSION, DRAFT.graph, address=server.address.replace("http://", "http://ann:secret@")) is None
        )
        assert other.headers == []
    shown = capsys.readouterr()
    assert f"redirects (302) to {other.address}/elsewhere" in shown.out + shown.err


def test_artifacts_that_only_mlflows_own_clients_reach_are_left_out(server: Server) -> None:
    server.artifacts = "s3://bucket/7/r1/artifacts"
    assert export(JOB, VERSION, DRAFT.graph, address=server.address)
    assert not [path for _, path, _ in server.calls if "mlflow-artifacts" in path]
    assert told(server, "runs/update")["status"] == "FINISHED"


@pytest.mark.parametrize("step", ["get-by-name", "runs/create", "log-batch", "mlflow-artifacts", "runs/update"])
def test_an_error_at_any_step_is_a_warning(server: Server, step: str, capsys: pytest.CaptureFixture[str]) -> None:
    server.fails_at = step
    assert not export(JOB, VERSION, DRAFT.graph, address=server.address)
    shown = capsys.readouterr()
    assert "status 500" in shown.out + shown.err


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "file:///tmp/mlruns", "not an address", "http://[bad"])
def test_an_address_where_nothing_answers_is_a_warning(address: str) -> None:
    assert not export(JOB, VERSION, DRAFT.graph, address=address)


def test_a_server_that_hangs_is_left_after_a_while(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mlflow, "REQUEST_SECONDS", 0.2)
    server.sleeps = 60.0
    begun = time.monotonic()
    assert not export(JOB, VERSION, DRAFT.graph, address=server.address)
    assert time.monotonic() - begun < 30  # of 60 s


def test_a_server_slow_at_every_step_is_left_after_a_while(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_mlflow, "TOTAL_SECONDS", 0.6)
    server.sleeps = 0.5
    assert not export(JOB, VERSION, DRAFT.graph, address=server.address)
    assert len(server.calls) <= 2  # of nine, each of half a second


@pytest.mark.parametrize(
    "begin",
    [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 500 Broken\r\nContent-Length: 300\r\n\r\n"],
    ids=["its head", "its body", "what it says of an error"],
)
def test_a_server_whose_answer_drips_is_left_after_a_while_and_holds_up_nothing_else(
    begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_mlflow, "TOTAL_SECONDS", 0.5)
    enough = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(begin)
                with suppress(OSError):  # it was left
                    while not enough.wait(0.05):
                        connection.sendall(b" " if begin else b"H")

        dripping = Thread(target=drip)
        dripping.start()
        try:
            begun = time.monotonic()
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            assert export(JOB, VERSION, DRAFT.graph, address=address) is None
            assert time.monotonic() - begun < 60  # or for ever
        finally:
            enough.set()
            dripping.join()
    for thread in threading.enumerate():
        if thread.name == _mlflow._THREAD:
            thread.join(10)
            assert not thread.is_alive()
