"""How a serving process ends."""

import json
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS
from tests.workers import small_dataset

from perfcast.datasets import Datasets
from perfcast.monitoring import read_records
from perfcast.storage import Blobs, Database

LOAD = {"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


def test_a_process_told_to_end_says_so_serves_on_for_the_drain_and_ends_with_0(folder: Path) -> None:
    process, address = start(folder, DRAIN_SECONDS="1.5")
    with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
        assert "connection" not in client.post("/predict", json=LOAD).headers
        process.send_signal(signal.SIGTERM)
        while client.get("/readyz").status_code == 200:
            assert process.poll() is None
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["reason"]) == (503, "draining")
        for _ in range(20):
            answer = client.post("/predict", json=LOAD)
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
    assert process.wait(PATIENCE_SECONDS) == 0
    database = Database(f"sqlite:///{folder / 'perfcast.db'}")
    with database.read() as connection:
        assert len(list(read_records(connection))) == 21
    database.close()


def test_a_request_that_has_begun_is_answered_before_the_end(folder: Path) -> None:
    process, address = start(folder)
    parts, body = urlsplit(address), json.dumps(LOAD).encode()
    with socket.create_connection((parts.hostname, parts.port), 10) as caller:
        caller.sendall(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "in_flight 2" not in httpx2.get(f"{address}/metrics").text:
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGTERM)
        while True:
            try:
                socket.create_connection((parts.hostname, parts.port), 1).close()
            except ConnectionError:
                break
            assert time.monotonic() < deadline
        caller.sendall(body)
        answer = b""
        while piece := caller.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer
    assert process.wait(PATIENCE_SECONDS) == 0


def test_a_second_signal_cuts_the_drain_short(folder: Path) -> None:
    process, address = start(folder, DRAIN_SECONDS="600")
    process.send_signal(signal.SIGTERM)
    while httpx2.get(f"{address}/readyz").status_code == 200:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 0


def test_whoever_follows_a_job_does_not_hold_up_the_end(folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'perfcast.db'}")
    Datasets(database, Blobs(str(folder / "artifacts"))).add(small_dataset())
    database.close()
    process, address = start(folder)
    asked = httpx2.post(f"{address}/train", json={"n_trials": 1, "model_name": "cpu-utilization"}).json()
    with httpx2.stream("GET", f"{address}/jobs/{asked['job_id']}/events", timeout=20) as events:
        lines = events.iter_lines()
        assert next(lines)
        process.send_signal(signal.SIGTERM)
        list(lines)  # ends, though the job is still queued
    begun = time.monotonic()
    assert process.wait(PATIENCE_SECONDS) == 0
    assert time.monotonic() - begun < 10  # half of what requests are given at the end
