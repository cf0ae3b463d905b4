"""The log as operators read it: the predecessor's greps, secrets, request ids; real servers and workers."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from tests.contract.conftest import SERVE, accepts, fill
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port

BODY = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}
SECRETS = {"key-of-the-shop", "redis-pass", "mlflow-pass", "cloud-secret", "collector-pass", "collector-token"}


@contextmanager
def served(folder: Path, **environment: str) -> Iterator[httpx2.Client]:
    """A server that logs to a file of the folder."""
    log = folder / "perfcast.log"
    log.unlink(missing_ok=True)
    given = {"DATA_DIR": str(folder), "API_PORT": "0", "LOG_FILE": str(log), "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, "-c", SERVE]
    process = subprocess.Popen(words, env=os.environ | given | environment, stderr=subprocess.DEVNULL)
    try:
        address = re.search(r"http://127[.0-9:]+", until(lambda: grep("address", log))[0])
        assert address is not None
        until(lambda: grep("ready", log) or grep("no usable model yet", log))
        until(lambda: accepts(address[0]))
        with httpx2.Client(base_url=address[0], timeout=PATIENCE_SECONDS) as client:
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def grep(text: str, path: Path) -> list[str]:
    """As `grep TEXT FILE`."""
    found = subprocess.run(["grep", text, str(path)], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("logged")
    fill(made)
    return made


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_predecessors_greps_find_what_they_did(folder: Path, form: str) -> None:
    log = folder / "perfcast.log"
    with served(folder, LOG_FORMAT=form, LOG_PREDICTIONS="1000") as client:
        assert client.post("/predict", json=BODY).status_code == 200
        (told,) = until(lambda: grep("prediction_latency", log))
        loaded = grep("loaded successfully", log)
        assert client.post("/predict", json={"request_rate": "much"}).status_code == 422  # the caller's affair
    assert grep("ERROR", log) == []
    assert len(loaded) == 2  # both models' champions
    champion = next(line for line in loaded if "cpu-utilization" in line)
    wanted = {"model": "cpu-utilization", "version": 1, "level": "INFO"}
    if form == "text":
        assert all(part in champion and part in told for part in ("[INFO", "model=cpu-utilization", "version=1"))
        assert all("milliseconds=" in line for line in (champion, told))
        return
    for line in map(json.loads, (champion, told)):
        assert {name: line[name] for name in wanted} == wanted
        assert 0 < line["milliseconds"] < 60_000
    assert json.loads(champion)["bytes"] > 0


def test_errors_are_found_by_their_level_with_the_id_that_the_caller_was_given(tmp_path: Path) -> None:
    fill(tmp_path)
    for blob in (tmp_path / "artifacts").rglob("*"):
        if blob.is_file():
            blob.write_bytes(b"broken")
    with served(tmp_path) as client:
        answer = client.post("/predict", json=BODY, headers={"X-Request-ID": "what-the-caller-says"})
        assert answer.status_code == 503
    errors = [json.loads(line) for line in grep("ERROR", tmp_path / "perfcast.log")]
    events = {error["event"] for error in errors}
    assert {"model can't be loaded", "server error"} <= events
    assert [error["request_id"] for error in errors if error["event"] == "server error"] == ["what-the-caller-says"]


def test_no_secret_of_any_setting_is_told_by_servers_or_workers_whatever_fails(folder: Path) -> None:
    gone = free_port()
    environment = {
        "API_KEY": "key-of-the-shop:read",
        "REDIS_URL": f"redis://:redis-pass@127.0.0.1:{gone}/0",
        "MLFLOW_TRACKING_URI": f"http://me:mlflow-pass@127.0.0.1:{gone}",
        "AWS_SECRET_ACCESS_KEY": "cloud-secret",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://me:collector-pass@127.0.0.1:{gone}",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20collector-token",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "LOG_LEVEL": "DEBUG",
        "RATE_LIMIT": "1000/minute",
    }
    log = folder / "perfcast.log"
    with served(folder, **environment) as client:
        for headers in ({"X-API-Key": "key-of-the-shop"}, {"X-API-Key": "wrong"}, {"Authorization": "key-of-the-shop"}):
            client.get("/models", headers=headers)
            client.post("/train", headers=headers, json={"n_trials": "key-of-the-shop"})
        for secret in SECRETS:
            client.get(f"/models/{secret}", headers={"X-API-Key": "key-of-the-shop"})
        until(lambda: grep("export spans", log))
        given = os.environ | environment | {"DATA_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
        words = [sys.executable, "-m", "perfcast", "worker"]
        worker = subprocess.Popen(words, env=given | {"LOG_FILE": str(log)}, stderr=subprocess.PIPE, text=True)
        until(lambda: grep("waiting for what can't be reached", log))
        worker.send_signal(signal.SIGTERM)
        told = worker.communicate(timeout=PATIENCE_SECONDS)[1] + log.read_text()
    assert told.count("Connection refused") >= 2
    assert "/models/***" in told
    assert {secret for secret in SECRETS if secret in told} == set()
