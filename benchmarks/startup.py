"""Seconds from starting `perfcast serve` until it is ready and until its first answer, with 1, 10 and 100 models.

    .venv/bin/python benchmarks/startup.py FOLDER --make     trains one model and registers it under 1, 10, 100 names
    .venv/bin/python benchmarks/startup.py FOLDER            starts servers, writes benchmarks/results/startup.md

Every model is 300 XGBoost trees of depth 6, a graph of about 1 MB. Bytecode is compiled first. Starts with different
numbers of models take turns; medians are shown.
"""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import IO

import psutil

HERE = Path(__file__).parent
NUMBERS = (1, 10, 100)
HEAVY = ("pandas", "polars", "sklearn", "xgboost", "torch", "optuna", "onnx", "spox", "scipy", "streamlit", "alembic")
ASK = json.dumps(
    {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}
).encode()
PATIENCE_SECONDS = 60


def main() -> None:
    """Make the models or measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the models are kept")
    parser.add_argument("--make", action="store_true", help="make the models first")
    parser.add_argument("--rounds", type=int, default=5, help="starts with each number of models")
    arguments = parser.parse_args()
    if arguments.make:
        make(arguments.folder)
        return
    compiled = [sys.executable, "-m", "compileall", "-q", str(HERE.parent / "src")]
    subprocess.run(compiled, check=True)
    starts: dict[int, list[tuple[float, float, float]]] = {number: [] for number in NUMBERS}
    for _ in range(arguments.rounds):
        for number in NUMBERS:
            starts[number].append(_start(arguments.folder / str(number)))
    lines = ["| models | ready, s | first answer, s | resident, MB |", "|---|---|---|---|"]
    for number, figures in starts.items():
        ready, answered, resident = (median(column) for column in zip(*figures, strict=True))
        lines.append(f"| {number} | {ready:.2f} | {answered:.2f} | {resident:.0f} |")
    imported = _imported(arguments.folder / "1")
    heavy = sorted(set(HEAVY) & {name.partition(".")[0] for name in imported})
    text = _page("\n".join(lines), arguments.rounds, len(imported), heavy)
    (HERE / "results" / "startup.md").write_text(text)
    print(text)


def make(folder: Path) -> None:
    """Train one model and register it under 1, 10 and 100 names."""
    from serving_model import MODEL
    from serving_model import make as train

    from perfcast.manifest import Draft
    from perfcast.registry import Registry
    from perfcast.settings import load_settings
    from perfcast.storage import Blobs, Database

    for number in NUMBERS:
        train(folder / str(number))
        settings = load_settings(data_dir=folder / str(number) / "var")
        database = Database(settings.database_address)
        registry = Registry(database, Blobs(settings.artifacts_address))
        first = registry.resolve(MODEL)
        for copy in range(1, number):
            name = f"model-{copy:03}"
            registry.add(name, Draft(registry.graph(first), first.manifest))
            registry.point(name, "champion", 1)
        database.close()


def _start(folder: Path) -> tuple[float, float, float]:
    """Seconds until ready and until answered, and resident MB then."""
    begun = time.perf_counter()
    with _serving(folder) as (process, address):
        _wait(f"{address}/readyz", None)
        ready = time.perf_counter() - begun
        _wait(f"{address}/predict", ASK)
        answered = time.perf_counter() - begun
        return ready, answered, psutil.Process(process.pid).memory_info().rss / 1e6


def _imported(folder: Path) -> list[str]:
    """The modules that a process has imported after its first answer."""
    with TemporaryFile("w+") as told:
        with _serving(folder, told, PYTHONPROFILEIMPORTTIME="1") as (_, address):
            _wait(f"{address}/predict", ASK)
        told.seek(0)
        return re.findall(r"^import time:.*\|\s*([A-Za-z_][\w.]*)$", told.read(), re.MULTILINE)


@contextmanager
def _serving(
    folder: Path, told: IO[str] | None = None, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = {"DATA_DIR": str(folder / "var"), "API_PORT": str(port), "LOG_LEVEL": "ERROR"}
    command = [str(Path(sys.executable).with_name("perfcast")), "serve"]
    process = subprocess.Popen(command, env=os.environ | given | environment, stderr=told, text=True)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


def _wait(address: str, body: bytes | None) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(urllib.request.Request(address, body), timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.002)
    raise SystemExit(f"{address} did not answer in {PATIENCE_SECONDS} s")


def _page(table: str, rounds: int, modules: int, heavy: list[str]) -> str:
    return f"""# Start-up

`perfcast serve` from its start until `/readyz` says 200 and until the first `/predict` is answered; every model is
loaded and warm by then. Medians of {rounds} starts, taking turns; {os.cpu_count()} cores; bytecode compiled; each model
300 XGBoost trees of depth 6, a graph of about 1 MB. Made by

    .venv/bin/python benchmarks/startup.py FOLDER --make
    .venv/bin/python benchmarks/startup.py FOLDER

{table}

Modules imported until the first answer: {modules}. Of {", ".join(HEAVY)}: {", ".join(heavy) or "none"}.
"""


if __name__ == "__main__":
    main()
