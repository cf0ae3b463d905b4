"""`perfcast up` from nothing, as a new user runs it: both predecessors' calls, Ctrl-C, a second start."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.patience import PATIENCE_SECONDS, until

FIRST = {
    "request_rate": 120,
    "active_users": 60,
    "db_connections": 25,
    "hour_sin": 0.5,
    "hour_cos": 0.866,
    "minute_sin": 0.2588,
    "minute_cos": 0.9659,
    "is_business_hour": 1,
}
SECOND = {
    "model_name": "cnn-execution-time-cpu-torch",
    "cnn_config": {
        "batch_size": 32,
        "input_channels": 3,
        "input_height": 224,
        "input_width": 224,
        "output_channels": 64,
        "kernel_size": 3,
        "stride": 1,
    },
}

OPERATORS, DEVICES = "operator-execution-time", ("cpu-torch", "cpu-onnxruntime")


class Up:
    """A running `perfcast up`."""

    def __init__(self, folder: Path) -> None:
        environment = os.environ | {"DATA_DIR": str(folder), "API_PORT": "0", "LOG_FORMAT": "json"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "perfcast", "up", "--no-ui"], env=environment, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self.address = self._await_address()
        self.client = httpx2.Client(base_url=self.address, timeout=PATIENCE_SECONDS)

    def _await_address(self) -> str:
        assert self.process.stderr is not None
        address = ""
        for line in self.process.stderr:
            self.lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            address = found.group() if found else address
            if '"event": "ready"' in line and '"logger": "perfcast.api"' in line:
                return address
        raise AssertionError("it ended: " + "".join(self.lines))

    def stop(self) -> int:
        """Ctrl-C, as a terminal sends it."""
        self.client.close()
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fresh")


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    running = Up(folder)
    yield running
    if running.process.poll() is None:
        running.stop()


def test_the_starter_models_answer_both_predecessors_calls(up: Up) -> None:
    cpu = up.client.post("/predict", json=FIRST).json()
    assert cpu["status"] == "success"
    assert 0 <= cpu["lower"] <= cpu["cpu_utilization"] <= cpu["upper"] <= 100
    time_ms = up.client.post("/predict", json=SECOND).json()
    assert list(time_ms)[:5] == ["execution_time_ms", "model_name", "model_type", "prediction_timestamp", "status"]
    assert 0 < time_ms["lower"] < time_ms["execution_time_ms"] < time_ms["upper"]


def test_there_is_a_starter_model_for_each_shipped_source_with_every_family(up: Up) -> None:
    models = up.client.get("/models").json()["models"]
    first = [name for name in models if not name.startswith(OPERATORS)]
    assert first == [
        "cnn-execution-time-cpu-onnxruntime",
        "cnn-execution-time-cpu-torch",
        "cpu-utilization",
        "cpu-utilization-web-shop",
    ]
    for name in first:
        versions = up.client.get(f"/models/{name}").json()["versions"]
        types = {version["type"] for version in versions}
        assert {"xgboost", "random_forest", "polynomial", "neural_network"} <= types


def test_the_cpu_champion_keeps_the_declared_trend(up: Up) -> None:
    rates = [up.client.post("/predict", json=FIRST | {"request_rate": rate}).json() for rate in range(0, 400, 10)]
    costs = [answer["cpu_utilization"] for answer in rates]
    assert costs == sorted(costs)


def test_a_version_can_be_activated_while_it_serves(up: Up) -> None:
    before = up.client.post("/predict", json=FIRST).json()["model_version"]
    other = 1 if before != 1 else 2
    change = up.client.post(f"/models/cpu-utilization:{other}/activate").json()
    assert (change["before"], change["after"]) == (before, other)
    assert up.client.post("/predict", json=FIRST).json()["model_version"] == other


def test_whole_networks_are_answered_for_once_the_rest_is_made(up: Up) -> None:
    def whole() -> bool:
        known = {one["name"]: one["models"] for one in up.client.get("/networks").json()["devices"]}
        return all(len(known[device]) == 2 for device in DEVICES)

    until(whole, 10 * PATIENCE_SECONDS)
    for device in DEVICES:
        asked = {"preset": "resnet50", "batch_size": 8, "device": device}
        found = up.client.post("/networks/predict", json=asked).json()
        assert found["not_modelled"] == []
        assert found["calibrated_on"] > 20
        assert 0 < found["lower_ms"] < found["execution_time_ms"] < found["upper_ms"]


def test_ctrl_c_ends_everything_and_the_second_start_is_quick(up: Up, folder: Path) -> None:
    assert up.stop() in (0, 130, -signal.SIGINT)
    begun = time.monotonic()
    again = Up(folder)
    try:
        assert again.client.post("/predict", json=FIRST).json()["status"] == "success"
        assert not any("starter" in line for line in again.lines)
        assert time.monotonic() - begun < 60  # nothing was trained again
    finally:
        again.stop()


def test_a_taken_port_is_told_before_anything_is_trained(up: Up, tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = os.environ | {"DATA_DIR": str(tmp_path), "API_PORT": str(port)}
        words = [sys.executable, "-m", "perfcast", "up", "--no-ui"]
        shown = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert shown.returncode == 1
    assert f"can't listen on 127.0.0.1:{port}" in shown.stderr
    assert "API_PORT" in shown.stderr
