"""A real server process on a free port, with a model of each predecessor's kind."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.drafts import draft, weighted
from tests.patience import PATIENCE_SECONDS, until

from perfcast.registry import Registry
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads

SERVE = "from perfcast.api import serve; from perfcast.settings import load_settings; serve(load_settings())"


def fill(folder: Path, database_url: str = "") -> None:
    """Two versions of `cpu-utilization` and the model that the second README names."""
    database = Database(database_url or f"sqlite:///{folder / 'perfcast.db'}")
    database.migrate()
    registry = Registry(database, Blobs(str(folder / "artifacts")))
    cpu, cnn, *_ = builtin_workloads().values()
    for weight in (0.25, 0.5):
        registry.add("cpu-utilization", draft(cpu, weighted(cpu, request_rate=weight)))
    registry.point("cpu-utilization", "champion", 1)
    registry.add("xgb_prediction-training-gpul40s", draft(cnn, weighted(cnn, batch_size=1, output_channels=0.21359375)))
    registry.point("xgb_prediction-training-gpul40s", "champion", 1)
    database.close()


def start(folder: Path, **environment: str) -> tuple[subprocess.Popen[str], str]:
    """A server process, and its address once it is ready."""
    given = {"DATA_DIR": str(folder), "API_PORT": "0", "LOG_FORMAT": "json", "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], env=os.environ | given | environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    address = ""
    for line in process.stderr:
        event = json.loads(line)
        address = event.get("address", address)
        if event["event"] in ("ready", "no usable model yet"):
            until(partial(accepts, address))
            return process, address
    raise AssertionError(f"the server ended with {process.wait()}")


def accepts(address: str) -> bool:
    """Whether connections are taken: that begins a moment after the services are ready."""
    where = urlsplit(address)
    try:
        socket.create_connection((where.hostname, where.port), 1).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    fill(folder)
    process, address = start(folder)
    yield address
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def client(server: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server, timeout=PATIENCE_SECONDS) as client:
        yield client
