"""How long the first look at a large dataset and at what judged a version takes, the next ones, and callers meanwhile.

    .venv/bin/python benchmarks/looks.py [--rows 500000]

Makes a dataset of minutes of a service, once with times (split by time) and once without (split by a hash of the
features), and a version that says it was made from it; starts `perfcast serve` on it, and prints two tables.
"""

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC
from pathlib import Path
from statistics import median
from threading import Event, Thread

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.drafts import draft, weighted

from perfcast.datasets import Dataset, Datasets, newest_moment
from perfcast.manifest import DataFacts, Draft
from perfcast.registry import Registry
from perfcast.settings import load_settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads, clock_columns

MODEL = "cpu-utilization"
JUDGED = f"/models/{MODEL}/judged?limit=1000"
PATHS = ("/workloads", "/datasets", "/datasets/big", "/datasets/big/rows?limit=1000", JUDGED)
ASK = json.dumps(dict.fromkeys(("request_rate", "active_users", "db_connections"), 30) | {"timestamp": 1772460300})
PATIENCE_SECONDS = 60


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    rows = parser.parse_args().rows
    for timed in (True, False):
        with tempfile.TemporaryDirectory() as name:
            megabytes = fill(Path(name), rows, timed=timed)
            print(f"\n{rows:,} rows, {megabytes:.1f} MB, split by {'time' if timed else 'hash'}\n")
            print("| | first ms | again ms | kB |\n|---|---|---|---|")
            with served(Path(name)) as port:
                for path in PATHS:
                    first, size = get(port, path)
                    again = median(get(port, path)[0] for _ in range(9))
                    print(f"| `{path}` | {first:.1f} | {again:.1f} | {size / 1000:.0f} |")
            print("\n| `/predict` of one caller | p50 ms | p99 ms | most ms | calls |\n|---|---|---|---|---|")
            with served(Path(name)) as port:
                beside(port, "nothing", lambda: time.sleep(2))
                for path in ("/datasets/big", JUDGED):
                    beside(port, f"the first `{path}`", lambda path=path: get(port, path))


def fill(folder: Path, rows: int, *, timed: bool) -> float:
    """Keep the dataset and the version in a folder of state; gives the folder's megabytes."""
    workload, random = builtin_workloads()[MODEL], np.random.default_rng(0)
    moments = np.datetime64("2024-01-01T00:00:00", "us") + np.arange(rows) * np.timedelta64(60, "s")
    clock = clock_columns(moments, [item.name for item in workload.features if item.declaration.clock], UTC)
    rate = np.clip(100 + 60 * np.sin(np.arange(rows) / 1440 * 2 * np.pi) + random.normal(0, 10, rows), 0, None)
    users = np.clip(rate / 2 + random.normal(0, 3, rows), 0, None)
    features = np.stack([rate, users, rate / 5, *clock.values()], axis=1).astype(np.float32)
    cost = np.clip(5 + 0.25 * rate + random.normal(0, 2, rows), 0, 100).astype(np.float32)
    dataset = Dataset("big", workload, features, cost, moments if timed else None, {"source": "benchmarks/looks.py"})
    split = dataset.split()
    until, parts = newest_moment(split.calibrate.measured_at), {"test": len(split.test)}
    facts = DataFacts("big", dataset.digest, rows, rows, parts, split.description, learnt_until=until)
    made = draft(workload, weighted(workload, request_rate=0.25))
    settings = load_settings(data_dir=folder)
    database, blobs = Database(settings.database_address), Blobs(settings.artifacts_address)
    database.migrate()
    Datasets(database, blobs).add(dataset)
    registry = Registry(database, blobs)
    registry.add(MODEL, Draft(made.graph, msgspec.structs.replace(made.manifest, data=facts)))
    registry.point(MODEL, "champion", 1)
    database.close()
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """A server on that state: its port, once it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "perfcast", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=os.environ | {"DATA_DIR": str(folder), "LOG_LEVEL": "ERROR"})
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            with suppress(OSError):
                get(port, "/readyz")
                break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)


def get(port: int, path: str) -> tuple[float, int]:
    """Milliseconds and bytes of an answer."""
    begin = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
    return 1000 * (time.perf_counter() - begin), len(body)


def beside(port: int, what: str, do: Callable[[], object]) -> None:
    """Print how long predictions of one caller take while something is done."""
    took, stop = list[float](), Event()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while not stop.is_set():
            begin = time.perf_counter()
            connection.request("POST", "/predict", ASK)
            connection.getresponse().read()
            took.append(1000 * (time.perf_counter() - begin))

    thread = Thread(target=ask)
    thread.start()
    do()
    stop.set()
    thread.join()
    p50, p99 = np.percentile(took, [50, 99])
    print(f"| beside {what} | {p50:.2f} | {p99:.1f} | {max(took):.1f} | {len(took):,} |")


if __name__ == "__main__":
    main()
