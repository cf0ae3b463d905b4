"""One installation for all pages: `perfcast up` from nothing, and the files that a reader would have."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import pytest
from tests.docs.exceptions import QUICK
from tests.docs.reader import ROOT, Reader
from tests.patience import PATIENCE_SECONDS, until
from tests.services import free_port


@dataclass(frozen=True)
class Installation:
    """A server with the starter models, and where it keeps them."""

    address: str
    environment: dict[str, str]

    def perfcast(self, *words: str, folder: Path) -> None:
        """Run a command beside the server."""
        command = [sys.executable, "-m", "perfcast", *words]
        subprocess.run(command, env=self.environment, cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """`perfcast up`, with a model of the shop's rows as the pages have it."""
    folder, port = tmp_path_factory.mktemp("var"), free_port()
    paths = [str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"DATA_DIR": str(folder), "PYTHONPATH": os.pathsep.join(paths), "LOG_LEVEL": "ERROR"}
    environment["UI_PORT"] = str(free_port())
    command = [sys.executable, "-m", "perfcast", "up", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        held = Installation(f"http://127.0.0.1:{port}", environment)
        try:
            until(lambda: server.poll() is not None or _ready(held.address), 15 * PATIENCE_SECONDS)
            until(lambda: _knows_networks(held.address), 15 * PATIENCE_SECONDS)
            _teach_the_shop(held, tmp_path_factory.mktemp("shop"))
            yield held
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def files(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader has at hand, to be copied for each page."""
    folder = tmp_path_factory.mktemp("files")
    _write_rows(folder)
    _write_predecessors_model(folder / "CNN_Algorithms/polynomial-regression")
    installation.perfcast("models", "export", "cpu-utilization:1", "graph", folder=folder)
    shutil.move(folder / "graph/model.onnx", folder / "better.onnx")
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/activate").touch()
    for name in ("benchmarks", "deploy", "docs", "examples", "mkdocs.yml", "README.md", "CHANGELOG.md", "src"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture
def reader(installation: Installation, files: Path, tmp_path: Path) -> Reader:
    """A reader with the files, in a folder of its own."""
    shutil.copytree(files, tmp_path / "here", symlinks=True)
    return Reader(tmp_path / "here", installation.address, installation.environment)


def _ready(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def _knows_networks(address: str) -> bool:
    """Whether the starter models are made that follow while it serves."""
    devices = httpx2.get(f"{address}/networks").json()["devices"]
    return bool(devices) and all(len(device["models"]) == 2 for device in devices)


def _teach_the_shop(held: Installation, folder: Path) -> None:
    _write_rows(folder)
    held.perfcast("data", "import", "minutes.csv", "--workload", "cpu-utilization", "--name", "shop", folder=folder)
    held.perfcast("train", "--dataset", "shop", *QUICK.split(), folder=folder)
    load = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}
    asked = {"model_name": "cpu-utilization-shop", **load}
    until(lambda: httpx2.post(f"{held.address}/predict", json=asked).status_code == 200)


def _write_rows(folder: Path) -> None:
    """Half a day of a service's minutes as text and Parquet, and a handful of convolutions."""
    import polars as pl

    random, rows = np.random.default_rng(0), 720
    load = 150 + 100 * np.sin(np.arange(rows) / rows * 4 * np.pi) + random.normal(0, 20, rows)
    minutes = pl.DataFrame(
        {
            "timestamp": [f"2026-03-02T{row // 60:02}:{row % 60:02}:00Z" for row in range(rows)],
            "request_rate": load,
            "active_users": load / 2 + random.normal(0, 4, rows).clip(-20, 20),
            "db_connections": load / 10 + 5,
            "cpu_utilization": 5 + 0.2 * load + random.normal(0, 1, rows),
        }
    ).with_columns(pl.col(pl.Float64).clip(0))
    for name in ("minutes.csv", "rows.csv", "data/cpu_features_raw.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        minutes.write_csv(folder / name)
    for name in ("rows.parquet", "logs/monday.parquet"):
        (folder / name).parent.mkdir(exist_ok=True)
        minutes.with_columns(requests=pl.col("request_rate") * 60).write_parquet(folder / name)
    minutes.drop("cpu_utilization").write_csv(folder / "load.csv")
    sizes = {
        "input_channels": 3,
        "input_height": 32,
        "input_width": 32,
        "output_channels": 8,
        "kernel_size": 3,
        "stride": 1,
    }
    batches = range(1, 401)
    convolutions = {name: [size] * len(batches) for name, size in sizes.items()}
    cost = [0.1 * batch for batch in batches]
    pl.DataFrame({"batch_size": batches, **convolutions, "execution_time_ms": cost}).write_parquet(
        folder / "convolutions.parquet"
    )


def _write_predecessors_model(folder: Path) -> None:
    """A file of the CNN execution time predictor's kind."""
    import joblib
    from sklearn.linear_model import Lasso

    folder.mkdir(parents=True)
    inputs = np.random.default_rng(0).uniform(1, 64, (50, 7))
    joblib.dump(Lasso().fit(inputs, inputs.sum(axis=1)), folder / "best_lasso_model.joblib")
