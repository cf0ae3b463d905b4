"""The server as a process: what it imports, what it does at a taken port, how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from tests.contract.conftest import SERVE, fill, start
from tests.drafts import draft, weighted
from tests.patience import PATIENCE_SECONDS
from tests.workers import small_dataset

from perfcast.datasets import Datasets
from perfcast.manifest import DataFacts, Draft
from perfcast.registry import Registry
from perfcast.settings import load_settings
from perfcast.storage import Blobs, Database

HEAVY = {"pandas", "sklearn", "xgboost", "torch", "optuna", "streamlit", "onnx", "spox", "scipy", "polars", "alembic"}
LIST_MODULES = """
import json, os, signal, sys, threading, time, urllib.request
from perfcast.api import Services, create_app
from perfcast.settings import load_settings
import uvicorn
settings = load_settings()
services = Services(settings)
server = uvicorn.Server(uvicorn.Config(create_app(settings, services=services), port=0, loop="uvloop", lifespan="on"))
def ask():
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    load = {"request_rate": 1, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/predict", json.dumps(load).encode()) as answer:
        said = json.load(answer)
    for path in sys.argv[1:]:
        urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read()
    found = json.dumps([said, sorted({name.partition(".")[0] for name in sys.modules})])
    sys.stdout.write(f"\\n{found}\\n")  # whole, among lines of the log
    server.should_exit = True
threading.Thread(target=ask).start()
server.run()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {"DATA_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path), "LOG_FORMAT": "json"}


def test_after_the_first_prediction_no_training_library_is_imported(folder: Path) -> None:
    answer, modules = asked_in_process(folder)
    assert answer["status"] == "success"
    assert "onnxruntime" in modules
    assert not HEAVY & modules


def test_looking_at_datasets_and_judged_rows_imports_none_either(folder: Path) -> None:
    rows = small_dataset(600)
    database, blobs = Database(f"sqlite:///{folder / 'perfcast.db'}"), Blobs(str(folder / "artifacts"))
    Datasets(database, blobs).add(rows)
    made = draft(rows.workload, weighted(rows.workload, request_rate=0.75))
    facts = DataFacts(rows.name, rows.digest, 600, 600, {}, rows.split().description)
    manifest = msgspec.structs.replace(made.manifest, data=facts)
    version = Registry(database, blobs).add("cpu-utilization", Draft(made.graph, manifest))
    database.close()
    paths = ("/workloads", "/datasets", "/datasets/simulated", "/datasets/simulated/rows")
    _, modules = asked_in_process(folder, *paths, f"/models/{version.reference}/judged")
    assert "pyarrow" in modules
    assert not HEAVY & modules


def asked_in_process(folder: Path, *paths: str) -> tuple[dict[str, Any], set[str]]:
    """What a server answers to a prediction, and what it has imported once it has answered these paths too."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *paths],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answer, modules = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("[{")))
    return answer, set(modules)


def test_a_port_in_use_is_named_with_what_to_do(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-c", SERVE],
            env=environment(folder) | {"API_PORT": port},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.returncode != 0
    last = ended.stderr.splitlines()[-1]
    assert f"can't listen on 127.0.0.1:{port}" in last
    assert "API_PORT" in last


def test_each_model_has_one_line_in_the_log_and_predictions_have_none(folder: Path) -> None:
    process, address = start(folder)
    load = {"request_rate": 1, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}
    begun = time.monotonic()
    for _ in range(10):
        assert httpx2.post(f"{address}/predict", json=load).status_code == 200
    seconds = time.monotonic() - begun
    process.send_signal(signal.SIGTERM)
    assert process.stderr is not None
    later = process.stderr.read().splitlines()
    process.wait(PATIENCE_SECONDS)
    events = [json.loads(line)["event"] for line in later]
    assert "request" not in events
    assert events.count("prediction_latency") <= 2 + seconds  # one a second, told when the second is over
    assert len(events) - events.count("prediction_latency") <= 2


def test_another_process_follows_an_activation(folder: Path) -> None:
    assert load_settings().refresh_seconds <= 1  # so within the two seconds that are promised
    one, first = start(folder)
    two, second = start(folder)
    load = {"request_rate": 100, "active_users": 1, "db_connections": 1, "timestamp": "2026-03-02T14:05:00Z"}
    assert httpx2.post(f"{first}/models/2/activate").status_code == 200
    with httpx2.Client(base_url=second, timeout=PATIENCE_SECONDS) as client:
        answers = [client.post("/predict", json=load).json()["cpu_utilization"]]
        begun = client.get("/health").json()["uptime_seconds"]
        while answers[-1] != 50.0:
            answers.append(client.post("/predict", json=load).json()["cpu_utilization"])
            assert client.get("/health").json()["uptime_seconds"] - begun < PATIENCE_SECONDS
    assert set(answers) <= {25.0, 50.0}
    for process in (one, two):
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)
