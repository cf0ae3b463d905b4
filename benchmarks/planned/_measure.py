"""Measures anew what of the figures no other benchmark does: bytes of records, and series by model."""

import random
import signal
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from retention import BEGIN, FEATURES

from perfcast.monitoring import Record, write_records
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database, time_text
from perfcast.workloads import builtin_workloads

_BODY = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-02T14:05:00Z"}


def measure() -> dict[str, dict[str, float]]:
    """Bytes of a block by its records; series and bytes of `/metrics` by models that were asked."""
    return {
        "bytes of a block with so many records": {str(rows): _block_bytes(rows) for rows in (1, 10, 100, 1_000)},
        **{f"/metrics with {models} models": _exposed(models) for models in (2, 22)},
    }


def _block_bytes(rows: int) -> float:
    blocks, chance = 200_000 // (rows + 100), random.Random(1)
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/perfcast.db")
        database.migrate()
        before = _size(Path(folder))
        with database.begin() as connection:
            for number in range(blocks):
                write_records(connection, _records(rows, number, chance))
        grown = _size(Path(folder)) - before
        database.close()
    return grown / blocks


def _records(rows: int, number: int, chance: random.Random) -> list[Record]:
    moment = BEGIN + timedelta(seconds=number)
    begin = f"{int(moment.timestamp() * 1000):011x}aaaaaaaa"
    return [
        Record(
            f"{begin}{number * rows + row:07x}", "cpu-utilization", 1, [chance.random() * 100 for _ in FEATURES],
            chance.random() * 100, chance.random() * 100, chance.random() * 100, time_text(moment),
        )
        for row in range(rows)
    ]  # fmt: skip


def _size(folder: Path) -> int:
    with sqlite3.connect(folder / "perfcast.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return (folder / "perfcast.db").stat().st_size


def _exposed(models: int) -> dict[str, float]:
    sys.path.append(str(Path(__file__).parents[2]))  # tests know how to make small models and to start a server
    from tests.contract.conftest import fill, start
    from tests.drafts import draft, weighted

    with TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)  # two models
        database = Database(f"sqlite:///{folder / 'perfcast.db'}")
        registry = Registry(database, Blobs(str(folder / "artifacts")))
        cpu = builtin_workloads()["cpu-utilization"]
        more = [f"cpu-{number}" for number in range(models - 2)]
        for model in more:
            registry.add(model, draft(cpu, weighted(cpu, request_rate=0.2)))
            registry.point(model, "champion", 1)
        database.close()
        process, address = start(folder)
        with httpx2.Client(base_url=address, timeout=60) as client:
            for model in ("cpu-utilization", *more):
                client.post("/predict", json=_BODY | {"model_name": model}).raise_for_status()
            text = client.get("/metrics").text
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    return {"series": sum(line[:1] not in ("", "#") for line in text.splitlines()), "bytes": len(text)}
