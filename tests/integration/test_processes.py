"""Several serving processes on one port: one is killed, all are ended; and nginx in front of two servers."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS, until
from tests.services import NginxServer, free_port

LOAD = {"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}
COUNT = 'ml_predictions_total{model_name="cpu-utilization",status="success"} '


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


class Log:
    """Reads what a server says, and keeps it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.events: list[dict[str, object]] = []
        self._process = process
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.events.append(json.loads(line))

    def processes(self, event: str) -> list[int]:
        return [int(str(each["process"])) for each in list(self.events) if each["event"] == event]


def children(pid: int) -> list[int]:
    """The processes that a process began."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def predictions(address: str) -> float:
    """What one of the processes, whichever answers, says that all have predicted."""
    text = httpx2.get(f"{address}/metrics").text
    return next((float(line.removeprefix(COUNT)) for line in text.splitlines() if line.startswith(COUNT)), 0.0)


@pytest.fixture
def pair(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str, Log]]:
    process, address = start(folder, API_PROCESSES="2")
    log = Log(process)
    until(lambda: "ready" in [event["event"] for event in log.events])  # the second; `start` saw the first
    yield process, address, log
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_SECONDS)


def test_a_killed_process_is_replaced_and_counts_never_fall(pair: tuple[subprocess.Popen[str], str, Log]) -> None:
    supervisor, address, log = pair
    for _ in range(50):
        httpx2.post(f"{address}/predict", json=LOAD)
    until(lambda: predictions(address) == 50)
    first = children(supervisor.pid)
    assert len(first) == 2
    os.kill(first[0], signal.SIGKILL)
    seen = [50.0]
    while log.processes("serving process ended") != [first[0]] or len(children(supervisor.pid)) < 2:
        seen.append(predictions(address))
    replaced = set(children(supervisor.pid)) - set(first)
    until(lambda: replaced <= set(log.processes("listening")))
    os.kill(first[1], signal.SIGKILL)
    until(lambda: first[1] in log.processes("serving process ended"))
    until(lambda: len(children(supervisor.pid)) == 2)
    seen += [predictions(address) for _ in range(30)]
    assert set(seen) == {50.0}
    for _ in range(10):
        assert httpx2.post(f"{address}/predict", json=LOAD).status_code == 200
    until(lambda: predictions(address) == 60)


def counters(address: str) -> dict[str, float]:
    """What was counted of the callers' requests, by name and labels; without times, which nobody knows beforehand."""
    lines = (line.rpartition(" ") for line in httpx2.get(f"{address}/metrics").text.splitlines() if line[:1] != "#")
    parts = ("_total", "_count", "ml_batch_rows", "http_callers")
    apart = ("process_", "system_", "ml_model_load", "prediction_records", 'route="/metrics"', "perfcast_")
    return {
        name: float(value)
        for name, _, value in lines
        if any(part in name for part in parts) and not any(part in name for part in apart)
    }


def all_are_told(address: str) -> bool:
    """Whether the processes have told one another of all calls, the last one too: each does it a few times a second."""
    told = counters(address)
    return predictions(address) == 60 and 'http_requests_total{method="POST",route="unmatched",status="404"}' in told


def test_metrics_of_several_processes_are_those_of_one(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    calls: list[tuple[str, object]] = [
        *[("/predict", LOAD)] * 40,
        *[("/predict", {"request_rate": "many"})] * 5,
        *[("/predict/batch", [LOAD, LOAD, {"request_rate": -1}])] * 10,
        ("/nowhere", {}),
    ]
    found = []
    alone = tmp_path_factory.mktemp("alone")
    fill(alone)
    for place, processes in ((alone, "1"), (folder, "3")):
        process, address = start(place, API_PROCESSES=processes)
        Log(process)
        try:
            for path, body in calls:  # each on a connection of its own
                httpx2.post(f"{address}{path}", json=body)
            until(lambda address=address: all_are_told(address))
            found.append(counters(address))
            resident = httpx2.get(f"{address}/metrics").text.split("\nprocess_resident_memory_bytes ")[1].split()[0]
            assert float(resident) > 5e7 * int(processes)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)
    single, several = found
    assert several == single
    assert single['http_requests_total{method="POST",route="/predict",status="200"}'] == 40
    assert single['ml_prediction_errors_total{kind="invalid",model_name="unknown"}'] == 15
    assert single['ml_batch_rows_sum{form="list"}'] == 30
    assert single['http_callers{window="1h"}'] == single["http_new_callers_total"] == 1


def test_told_to_end_all_processes_end_and_the_status_is_0(pair: tuple[subprocess.Popen[str], str, Log]) -> None:
    supervisor, _, log = pair
    both = children(supervisor.pid)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(PATIENCE_SECONDS) == 0
    until(lambda: sorted(log.processes("stopped")) == sorted(both))
    assert not [pid for pid in both if Path(f"/proc/{pid}").exists()]


def test_when_the_supervisor_is_killed_its_processes_end(pair: tuple[subprocess.Popen[str], str, Log]) -> None:
    supervisor, _, _ = pair
    both = children(supervisor.pid)
    supervisor.kill()
    supervisor.wait()
    until(lambda: not [pid for pid in both if Path(f"/proc/{pid}").exists()])


def test_behind_nginx_no_request_fails_while_processes_are_restarted(folder: Path, tmp_path_factory) -> None:
    ports = (free_port(), free_port())

    def begin(port: int) -> subprocess.Popen[str]:
        process, _ = start(folder, API_PORT=str(port), DRAIN_SECONDS="1")
        Log(process)
        return process

    servers = [begin(port) for port in ports]
    nginx = NginxServer(tmp_path_factory.mktemp("nginx"), ports)
    nginx.start()
    statuses: list[int | str] = []
    over = threading.Event()

    def ask() -> None:
        with httpx2.Client(base_url=nginx.url, timeout=PATIENCE_SECONDS) as client:
            while not over.is_set():
                for method, path, body in (("POST", "/predict", LOAD), ("GET", "/models", None)):
                    try:
                        statuses.append(client.request(method, path, json=body).status_code)
                    except httpx2.HTTPError as error:
                        statuses.append(repr(error))

    callers = [threading.Thread(target=ask) for _ in range(4)]
    for caller in callers:
        caller.start()
    try:
        for index in (0, 1, 0, 1):
            servers[index].send_signal(signal.SIGTERM)
            assert servers[index].wait(PATIENCE_SECONDS) == 0
            servers[index] = begin(ports[index])
            asked = len(statuses)
            until(lambda asked=asked: len(statuses) > asked + 50)
    finally:
        over.set()
        for caller in callers:
            caller.join()
        nginx.stop()
        for server in servers:
            server.terminate()
            server.wait(PATIENCE_SECONDS)
    assert len(statuses) > 500
    assert set(statuses) == {200}, nginx.log.read_text()[-2000:]
