"""Versions that change under traffic, in real server processes on one registry."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from onnx import TensorProto, helper
from tests.contract.conftest import fill, start
from tests.drafts import draft
from tests.patience import PATIENCE_SECONDS, until

from perfcast.monitoring import read_records
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads

MODEL = "/models/cpu-utilization"
LOAD: dict[str, Any] = {
    "request_rate": 100,
    "active_users": 1,
    "db_connections": 1,
    "timestamp": "2026-03-02T14:05:00Z",
}
COSTS = {1: 25.0, 2: 50.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


@pytest.fixture
def two_servers(folder: Path) -> Iterator[tuple[str, str]]:
    started = [start(folder), start(folder)]
    yield started[0][1], started[1][1]
    for process, _ in started:
        process.send_signal(signal.SIGTERM)
    for process, _ in started:
        process.communicate(timeout=PATIENCE_SECONDS)


class Caller(threading.Thread):
    """Asks a server on and on; keeps each answer's status, version and cost."""

    def __init__(self, address: str, key: str) -> None:
        super().__init__()
        self.answers: Counter[tuple[int, int, float]] = Counter()
        self.newest = 0
        self._address, self._key, self._ended = address, key, threading.Event()

    def run(self) -> None:
        with httpx2.Client(
            base_url=self._address, timeout=PATIENCE_SECONDS, headers={"X-Request-Key": self._key}
        ) as client:
            while not self._ended.is_set():
                response = client.post("/predict", json=LOAD)
                answer = response.json()
                self.newest = answer.get("model_version", 0)
                self.answers[response.status_code, self.newest, answer.get("cpu_utilization", 0.0)] += 1

    def end(self) -> None:
        self._ended.set()
        self.join(20)


def wait_for(callers: list[Caller], versions: set[int]) -> None:
    """Until each caller's newest answer is one of these versions."""
    until(lambda: all(caller.newest in versions for caller in callers))


def test_two_processes_follow_under_traffic_without_a_failed_or_mixed_answer(two_servers: tuple[str, str]) -> None:
    callers = [Caller(address, f"key-{number}") for number in range(2) for address in two_servers]
    for caller in callers:
        caller.start()
    try:
        for turn in range(6):
            number = 2 - turn % 2
            assert httpx2.post(f"{two_servers[turn % 2]}/models/{number}/activate").status_code == 200
            wait_for(callers, {number})
        first, second = two_servers
        assert httpx2.put(f"{first}{MODEL}/aliases/challenger", json={"version": 2}).status_code == 200
        assert httpx2.put(f"{second}{MODEL}/traffic", json={"champion": 0, "challenger": 100}).status_code == 200
        wait_for(callers, {2})
        assert httpx2.delete(f"{second}{MODEL}/aliases/challenger").status_code == 200
        wait_for(callers, {1})
    finally:
        for caller in callers:
            caller.end()
    answered = sum((caller.answers for caller in callers), Counter())
    assert set(answered) == {(200, number, cost) for number, cost in COSTS.items()}, answered


def test_both_processes_send_a_caller_to_the_same_arm(two_servers: tuple[str, str]) -> None:
    first = two_servers[0]
    httpx2.put(f"{first}{MODEL}/aliases/challenger", json={"version": 2})
    httpx2.put(f"{first}{MODEL}/traffic", json={"champion": 50, "challenger": 50})
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        arms = [
            [
                client.post("/predict", json=LOAD, headers={"X-Request-Key": f"key-{number}"}).json()["model_version"]
                for number in range(40)
            ]
            for address in two_servers
            for client in [httpx2.Client(base_url=address)]
        ]
        if arms[0] == arms[1]:
            break
        assert time.monotonic() < deadline
    assert set(arms[0]) == {1, 2}


def slow_graph(width: int, *, size: int = 400, times: int = 8) -> bytes:
    """`features` float32 [rows, width] → the row's sum, after a long way over products of large matrices."""
    nodes = [
        helper.make_node("ReduceSum", ["features", "last"], ["sum"], keepdims=1),
        helper.make_node("Unsqueeze", ["sum", "last"], ["cube"]),
        helper.make_node("Mul", ["cube", "ones"], ["matrix0"]),
        *(
            node
            for step in range(times)
            for node in (
                helper.make_node("MatMul", [f"matrix{step}", "ones"], [f"product{step}"]),
                helper.make_node("Mul", [f"product{step}", "inverse"], [f"matrix{step + 1}"]),
            )
        ),
        helper.make_node("ReduceMean", [f"matrix{times}", "both"], ["cost"], keepdims=0),
    ]
    constants = [
        helper.make_tensor("last", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("both", TensorProto.INT64, [2], [1, 2]),
        helper.make_tensor("ones", TensorProto.FLOAT, [size, size], [1.0] * size**2),
        helper.make_tensor("inverse", TensorProto.FLOAT, [], [1 / size]),
    ]
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", width])]
    outputs = [helper.make_tensor_value_info("cost", TensorProto.FLOAT, ["rows"])]
    graph = helper.make_graph(nodes, "slow", inputs, outputs, constants)
    opsets = [helper.make_opsetid("", 21)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString())


def test_callers_never_wait_for_a_slow_shadow_nor_see_it(folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'perfcast.db'}")
    registry = Registry(database, Blobs(str(folder / "artifacts")))
    cpu = builtin_workloads()["cpu-utilization"]
    shadow = registry.add("cpu-utilization", draft(cpu, slow_graph(len(cpu.features)))).number
    process, address = start(folder)
    with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
        assert client.put(f"{MODEL}/aliases/shadow", json={"version": shadow}).status_code == 200
        answers = [client.post("/predict", json=LOAD).json() for _ in range(300)]
        asked = client.get(f"{MODEL}/traffic").json()["arms"]["shadow"]["predictions"]
        assert asked < 299, "callers waited for the shadow"
        assert {(answer["model_version"], answer["cpu_utilization"]) for answer in answers} == {(1, 25.0)}
        deadline = time.monotonic() + PATIENCE_SECONDS
        told: set[str] = set()
        while not told:
            assert time.monotonic() < deadline
            with database.read() as connection:
                told = {record.id for record in read_records(connection) if record.arm == "shadow"}
    assert told <= {answer["prediction_id"] for answer in answers}
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_SECONDS)
    database.close()
