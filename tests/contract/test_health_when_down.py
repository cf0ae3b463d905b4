"""`/health` answers at once although what the service depends on hangs."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.contract.conftest import start


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are accepted and never answered: the system's backlog takes them."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield int(server.getsockname()[1])


def in_flight(client: httpx.Client) -> float:
    (line,) = (line for line in client.get("/metrics").text.splitlines() if line.startswith("http_requests_in_flight "))
    return float(line.split()[1])


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"


def test_health_answers_within_50_ms_while_the_database_hangs(tmp_path: Path, silent_port: int) -> None:
    url = f"postgresql://perfcast:secret@127.0.0.1:{silent_port}/perfcast?connect_timeout=2"
    process, address = start(tmp_path, DATABASE_URL=url)
    try:
        with httpx.Client(base_url=address, timeout=60) as client, ThreadPoolExecutor(40) as callers:
            body = {"model_name": "nowhere", "request_rate": 1}
            waiting = [callers.submit(client.get, "/models") for _ in range(30)]
            waiting += [callers.submit(client.post, "/predict", json=body) for _ in range(10)]
            until(lambda: in_flight(client) > 20)  # they wait for the database
            seconds = sorted(client.get("/health").elapsed.total_seconds() for _ in range(21))
            health = client.get("/health")
            assert not all(call.done() for call in waiting)
            assert client.get("/livez").status_code == 200
            process.kill()
    finally:
        process.kill()
        process.wait(10)
    assert seconds[10] < 0.05
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert health.json()["dependencies"]["database"]["status"] in ("starting", "down")
    assert "secret" not in health.text
