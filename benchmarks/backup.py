"""How long backup, verification and restoration take, how large a backup is, and what callers notice meanwhile.

    .venv/bin/python benchmarks/backup.py
    .venv/bin/python benchmarks/backup.py --predictions 1000000 --actuals 100000 --versions 50 --encrypt
    .venv/bin/python benchmarks/backup.py --servers

Fills an installation, starts a server and asks it over and over, and runs the commands beside it: files alone, or with
`--servers` PostgreSQL and a store that speaks S3 (moto), both begun for the purpose. Then the backup is restored
elsewhere, into the other kind of database as well.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import feedback
import httpx2
import numpy as np
import s3fs
from tests.drafts import draft, linear_graph
from tests.services import free_port, running_postgres, wait_until_it_listens
from tests.workers import small_dataset

from perfcast.datasets import Datasets
from perfcast.monitoring import Actual, keep_actuals
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database, now
from perfcast.workloads import builtin_workloads

MODEL = "cpu-utilization"
LOAD = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-01T10:29:00Z"}
QUIET_SECONDS = 10.0


def fill(settings: dict[str, str], options: argparse.Namespace) -> None:
    """Versions with graphs of a megabyte that can't be made smaller, a dataset, predictions, actuals."""
    database, blobs = Database(settings["DATABASE_URL"]), Blobs(settings["ARTIFACTS_URL"])
    database.migrate()
    registry, workload, rng = Registry(database, blobs), builtin_workloads()[MODEL], np.random.default_rng(0)
    Datasets(database, blobs).add(small_dataset(20_000))
    for number in range(options.versions):
        graph = linear_graph([0.01 * (number + 1)] * len(workload.feature_names))
        registry.add(MODEL, draft(workload, padded(graph, rng.bytes(1_000_000))), dataset="simulated")
    registry.point(MODEL, "champion", 1)
    told = 0
    for names in feedback.filled(database, options.predictions):
        take = names[: max(0, options.actuals - told)]
        told += len(take)
        with database.begin() as connection:
            keep_actuals(connection, [Actual(name, name, 25.0) for name in take], now())
    database.close()


def padded(graph: bytes, noise: bytes) -> bytes:
    """The graph with a comment."""
    import onnx

    model = onnx.load_from_string(graph)
    model.doc_string = noise.hex()
    return bytes(model.SerializeToString())


@contextmanager
def asked(environment: dict[str, str]) -> Iterator[list[tuple[float, float]]]:
    """A server that is asked by one caller without a pause; gives moments and milliseconds of its answers."""
    port, over, answers = free_port(), Event(), list[tuple[float, float]]()
    given = environment | {"API_PORT": str(port), "LOG_LEVEL": "ERROR", "API_HOST": "127.0.0.1"}
    server = subprocess.Popen([sys.executable, "-m", "perfcast", "serve"], env=os.environ | given)

    def ask() -> None:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            while not over.is_set():
                began = time.monotonic()
                client.post("/predict", json=LOAD).raise_for_status()
                answers.append((began, (time.monotonic() - began) * 1e3))

    try:
        wait_until_it_listens(server, port, "perfcast serve")
        while httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code != 200:
            time.sleep(0.1)
        thread = Thread(target=ask)
        thread.start()
        yield answers
        over.set()
        thread.join()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def perfcast(environment: dict[str, str], *words: str) -> dict[str, Any]:
    """Run a command; gives its seconds of clock and of processor, and the most memory it had, MB."""
    began, silent, memory = time.monotonic(), subprocess.DEVNULL, 0.0
    before = os.times()
    command = [sys.executable, "-m", "perfcast", *words]
    with subprocess.Popen(command, env=os.environ | environment, stdout=silent, stderr=silent) as running:
        while running.poll() is None:
            memory = max(memory, _most_memory(running.pid))
            time.sleep(0.05)
    assert running.returncode == 0, words
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    found = {"seconds": time.monotonic() - began, "processor_s": processor, "memory_mb": memory}
    return {name: round(value, 1) for name, value in found.items()}


def _most_memory(process: int) -> float:
    """What Linux remembers of a process that runs, MB; 0 of one that has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def quantiles(answers: list[tuple[float, float]], since: float, until: float) -> dict[str, float]:
    """What callers saw in a time."""
    seen = sorted(ms for began, ms in answers if since <= began < until)
    return {
        "answers": len(seen),
        "p50_ms": round(statistics.median(seen), 2),
        "p99_ms": round(seen[len(seen) * 99 // 100], 2),
    }


@contextmanager
def place(folder: Path, *, servers: bool, postgres: str = "") -> Iterator[dict[str, str]]:
    """The environment of an installation that has nothing yet."""
    folder.mkdir()
    given = {"DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder}/perfcast.db"}
    given |= {"ARTIFACTS_URL": str(folder / "artifacts"), "BACKUP_PASSPHRASE": "a long passphrase"}
    if servers:
        bucket = f"b{folder.name}{os.getpid()}"
        s3fs.S3FileSystem().mkdir(bucket)
        given |= {"DATABASE_URL": postgres, "ARTIFACTS_URL": f"s3://{bucket}/perfcast"}
    yield given


@contextmanager
def object_store() -> Iterator[None]:
    """A store that speaks S3, for this process and those it starts."""
    port = free_port()
    os.environ |= {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], **silent)
    try:
        wait_until_it_listens(server, port, "moto")
        yield
    finally:
        server.terminate()
        server.wait()


def say(what: str, **found: object) -> None:
    """A line of what was found."""
    print(json.dumps({"what": what, **found}), flush=True)


def main() -> None:
    """Fill, back up, verify, restore."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--predictions", type=int, default=1_000_000)
    parser.add_argument("--actuals", type=int, default=100_000)
    parser.add_argument("--versions", type=int, default=50)
    parser.add_argument("--encrypt", action="store_true")
    parser.add_argument("--servers", action="store_true", help="PostgreSQL and a store that speaks S3")
    options = parser.parse_args()
    with ExitStack() as held, tempfile.TemporaryDirectory() as there:
        folder = Path(there)
        postgres = held.enter_context(running_postgres())
        if options.servers:
            held.enter_context(object_store())
        full = held.enter_context(place(folder / "full", servers=options.servers, postgres=postgres))
        began = time.monotonic()
        fill(full, options)
        say("filled", seconds=round(time.monotonic() - began, 1), load=os.getloadavg()[0])
        file = str(folder / "it.backup")
        with asked(full) as answers:
            time.sleep(QUIET_SECONDS)
            began = time.monotonic()
            took = perfcast(full, "backup", file, *(["--encrypt"] if options.encrypt else []))
            ended = time.monotonic()
        say("callers before", **quantiles(answers, began - QUIET_SECONDS, began))
        say("callers meanwhile", **quantiles(answers, began, ended))
        say("backup", megabytes=round(Path(file).stat().st_size / 1e6, 1), **took)
        say("verify", **perfcast(full, "backup", file, "--verify"))
        say("restore into SQLite", **perfcast(full, "restore", file, "--into", str(folder / "elsewhere")))
        other = full | {"DATABASE_URL": postgres, "ARTIFACTS_URL": str(folder / "other")}
        replace = ["--replace"] if options.servers else []
        say("restore into PostgreSQL", **perfcast(other, "restore", file, *replace))


if __name__ == "__main__":
    main()
