"""One file imported, posted as a batch and scored: the same rows are taken, refused and answered, to the bit."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.contract.conftest import fill, start
from tests.patience import PATIENCE_SECONDS
from tests.workers import stop

from perfcast.datasets import Datasets
from perfcast.storage import Blobs, Database

NAMES = "request_rate;active_users;db_connections;timestamp;cpu_utilization"
GOOD = [
    "120,5;60;25;2026-03-02T10:07;10,5",
    "1.234,5;60;25;2026-10-25 02:30:00;20",
    "7;4;2;2026-07-01T00:00:00Z;5",
    "7,25;4;2;2026-03-29T02:30;5",
]
BAD = ["N/A;3;1;2026-03-02T10:07;10,5", "12;-1;25;2026-03-02 10:09;20", "12;1;25;soon;20"]
MIXED = [BAD[0], GOOD[0], GOOD[1], BAD[1], BAD[2], GOOD[2], GOOD[3]]
WRONG = {0: "request_rate", 3: "active_users", 4: "timestamp"}
ZONE = {"SERVICE_TIMEZONE": "Europe/Berlin"}


def written(path: Path, rows: list[str]) -> Path:
    path.write_bytes("\n".join([NAMES, *rows]).encode("utf-16"))
    return path


def perfcast(folder: Path, *words: str) -> str:
    environment = os.environ | ZONE | {"DATA_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "perfcast", *words]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_file_means_the_same_to_the_command_line_and_over_http(tmp_path: Path) -> None:
    fill(tmp_path)
    mixed, good = written(tmp_path / "mixed.csv", MIXED), written(tmp_path / "good.csv", GOOD)

    said = perfcast(tmp_path, "data", "import", "mixed.csv", "--name", "d")
    refused = re.findall(r"refused: (\w+) .*\(row (\d+), counted from 1", said)
    assert {int(row) - 1: name.replace("measured_at", "timestamp") for name, row in refused} == WRONG
    database = Database(f"sqlite:///{tmp_path / 'perfcast.db'}")
    datasets = Datasets(database, Blobs(str(tmp_path / "artifacts")))
    dataset = datasets.load(datasets.find("d"))
    database.close()

    perfcast(tmp_path, "score", "mixed.csv", "scored.parquet", "--model", "cpu-utilization")
    scored = pq.read_table(tmp_path / "scored.parquet")
    problems = {row: text.split(":")[0] for row, text in enumerate(scored["problem"].to_pylist()) if text}
    assert {row: name.replace("measured_at", "timestamp") for row, name in problems.items()} == WRONG

    server, address = start(tmp_path, **ZONE)
    try:
        with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
            ask = {"url": "/predict/batch", "params": {"model_name": "cpu-utilization"}}
            types = {"Content-Type": "text/csv", "Accept": "application/vnd.apache.arrow.stream"}
            refusal = client.post(**ask, headers=types, content=mixed.read_bytes())  # type: ignore[arg-type]
            answer = client.post(**ask, headers=types, content=good.read_bytes())  # type: ignore[arg-type]
    finally:
        stop(server)  # type: ignore[arg-type]
    assert refusal.status_code == 422
    told = {int(re.findall(r"\d+", error["message"])[-2]): error["field"] for error in refusal.json()["errors"]}
    assert told == WRONG
    assert answer.status_code == 200, answer.text
    batch = pa.ipc.open_stream(answer.content).read_all()
    taken = np.array([row not in WRONG for row in range(len(MIXED))])
    for ours, theirs in (("cost", "cpu_utilization"), ("lower", "lower"), ("upper", "upper")):
        kept = scored[ours].to_numpy()[taken].astype(np.float32)
        assert kept.tobytes() == batch[theirs].to_numpy().astype(np.float32).tobytes()
    expected = np.float32(0.25) * dataset.features[:, 0]
    assert scored["cost"].to_numpy()[taken].astype(np.float32).tobytes() == expected.tobytes()
