"""Whether a release and the one before run side by side: servers of both on one database, both under load.

    .venv/bin/python benchmarks/upgrade.py 185d82e

The commit's own code serves what `tests/releases` has of it. While it is asked, a server of this checkout starts, which
migrates; both are asked for a while, then the old one ends. Every answer, refusal and record is counted.
"""

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx2
import sqlalchemy as sa
from tests.services import free_port, wait_until_it_listens

from perfcast.storage import Database, schema

ROOT = Path(__file__).parents[1]
LOAD = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-01T10:29:00Z"}
SERVE = "from perfcast.api import serve; from perfcast.settings import load_settings; serve(load_settings())"


class Caller(Thread):
    """Asks a server for predictions and tells their actuals, over and over, and counts."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._url, self.over = f"http://127.0.0.1:{port}", Event()
        self.answered, self.failed = 0, list[str]()

    def run(self) -> None:
        """Go on until the end."""
        with httpx2.Client(base_url=self._url, timeout=60) as client:
            while not self.over.is_set():
                try:
                    name = client.post("/predict", json=LOAD).raise_for_status().json()["prediction_id"]
                    self.answered += 1
                    client.post("/feedback", json={"prediction_id": name, "actual": 30}).raise_for_status()
                except (httpx2.HTTPError, KeyError) as error:
                    self.failed.append(str(error))

    def end(self) -> dict[str, object]:
        """Stop; gives what was counted."""
        self.over.set()
        self.join()
        return {"answered": self.answered, "failed": len(self.failed), "first_failure": (self.failed or [None])[0]}


@contextmanager
def server(source: Path, environment: dict[str, str]) -> Iterator[int]:
    """A server of some source; gives its port once it is ready."""
    port = free_port()
    given = environment | {"API_PORT": str(port), "LOG_LEVEL": "ERROR", "PYTHONPATH": str(source / "src")}
    process = subprocess.Popen([sys.executable, "-c", SERVE], env=os.environ | given, cwd=source)
    try:
        wait_until_it_listens(process, port, str(source))
        while httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code != 200:
            time.sleep(0.05)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def unpacked(folder: Path, commit: str) -> Database:
    """The commit's source in `before`, and what it kept in `var`; gives that database."""
    source = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, check=True, capture_output=True).stdout
    kept = max((ROOT / "tests/releases").glob("*.tar.gz")).read_bytes()
    for name, data in (("before", source), ("var", kept)):
        with tarfile.open(fileobj=io.BytesIO(data)) as packed:
            packed.extractall(folder / name, filter="data")
    return Database(f"sqlite:///{folder}/var/perfcast.db")


def records(database: Database) -> int:
    """How many predictions are recorded."""
    with database.read() as connection:
        return int(connection.scalar(sa.select(sa.func.sum(schema.prediction_block.c.count))) or 0)


def main() -> None:
    """Serve with the old one, add the new one, end the old one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="of the release before")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there)
        database, environment = unpacked(folder, options.commit), {"DATA_DIR": str(folder / "var")}
        before, migration = records(database), database.migration()
        with ExitStack() as new_one:
            with server(folder / "before", environment) as port:
                old = Caller(port)
                old.start()
                time.sleep(options.seconds / 2)
                began, alone = time.monotonic(), old.answered
                new = Caller(new_one.enter_context(server(ROOT, environment)))
                ready = round(time.monotonic() - began, 1)
                new.start()
                meanwhile = old.answered - alone
                time.sleep(options.seconds)
                after = old.answered - alone - meanwhile
                counted = {"old": old.end(), "new_beside_old": new.answered}
            time.sleep(options.seconds / 2)
            counted["new"] = new.end()
        told = {"from": migration, "to": database.migration(), "new_one_ready_s": ready}
        print(json.dumps(told | {"old_alone": alone, "old_while_migrated": meanwhile, "old_after": after} | counted))
        print(json.dumps({"answers": old.answered + new.answered, "records": records(database) - before}))
        database.close()


if __name__ == "__main__":
    main()
