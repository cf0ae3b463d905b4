"""Backed up under load, destroyed, restored elsewhere: files alone, and PostgreSQL with a store of objects."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
import psycopg
import pytest
import sqlalchemy as sa
from tests.contract.conftest import start
from tests.drafts import draft, weighted
from tests.patience import PATIENCE_SECONDS, until
from tests.workers import IMPATIENT, Shop, small_dataset, stop, working

from perfcast.monitoring import read_records
from perfcast.settings import Settings, load_settings
from perfcast.storage import Blobs, schema
from perfcast.workloads import builtin_workloads

MODEL, BUSY = "cpu-utilization", "cpu-utilization-busy"
LOAD: dict[str, Any] = {
    "request_rate": 120,
    "active_users": 60,
    "db_connections": 25,
    "timestamp": "2026-03-01T10:29:00Z",
}
ROWS = [LOAD | {"request_rate": 7.3 * number, "active_users": number} for number in range(20)]
LONG = {"families": ("xgboost",), "n_trials": 500}
NIGHTLY = {"cron": "0 3 * * *", "drift": True, "enabled": True}
SAME = ("model", "version", "alias", "alias_history", "default_model", "dataset", "schedule")
"""Tables that the load and the training don't change."""
NewPlace = Callable[[], Settings]


@pytest.fixture(params=["files", "servers"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    """Makes places of one kind."""

    def new() -> Settings:
        folder, given = tmp_path / f"place-{len(list(tmp_path.glob('place-*')))}", {}
        folder.mkdir()
        if request.param == "servers":
            given = {
                "database_url": request.getfixturevalue("new_postgres_url")(),
                "artifacts_url": request.getfixturevalue("new_bucket")(),
                "redis_url": str(request.getfixturevalue("redis_url")),
            }
        return load_settings(data_dir=folder, **given, **IMPATIENT)

    return new


@pytest.fixture
def shop(new_place: NewPlace) -> Iterator[Shop]:
    """One with two models: what is told of the one that gets the load moves its intervals, the other's stay."""
    shop, workload = Shop(new_place()), builtin_workloads()[MODEL]
    shop.datasets.add(small_dataset())
    for number, alias in ((1, "champion"), (2, "shadow")):
        graph = weighted(workload, request_rate=0.25 * number, active_users=1 / 3)
        shop.registry.add(MODEL, draft(workload, graph), dataset="simulated")
        shop.registry.point(MODEL, alias, number)
    shop.registry.add(BUSY, draft(workload, weighted(workload, request_rate=0.25)), dataset="simulated")
    shop.registry.point(BUSY, "champion", 1)
    yield shop
    shop.close()


def test_what_was_destroyed_under_load_is_there_again_elsewhere(
    shop: Shop, new_place: NewPlace, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    backup = tmp_path / "nightly.backup"
    with serving(shop.settings) as client, working(shop.settings):
        client.put(f"/schedules/{MODEL}", json=NIGHTLY).raise_for_status()
        job = shop.submit(**LONG)
        shop.wait(job, "running")
        answers = predict(client)
        with load(str(client.base_url)) as told:
            early = dict(until(lambda: dict(told) if len(told) >= 20 else None))
            until(lambda: early.keys() <= predictions(shop))
            before, began = len(told), time.monotonic()
            perfcast("backup", backup, "--encrypt", settings=shop.settings)
            record_property("backup_seconds", time.monotonic() - began)
            assert len(told) > before, "nobody was answered meanwhile"
        assert shop.jobs.find(job.id).status == "running"
    kept, actuals, recorded = {name: rows(shop, name) for name in SAME}, told_actuals(shop), predictions(shop)
    destroy(shop)

    began = time.monotonic()
    elsewhere = new_place()
    perfcast("restore", backup, settings=elsewhere)
    record_property("restore_seconds", time.monotonic() - began)
    restored = Shop(elsewhere)
    assert {name: rows(restored, name) for name in SAME} == kept
    assert early.keys() <= predictions(restored) <= recorded
    assert early.items() <= told_actuals(restored).items() <= actuals.items()
    assert rows(restored, "job")[0].status == "running"

    with serving(elsewhere) as client, working(elsewhere):
        assert predict(client) == answers
        assert client.get(f"/schedules/{MODEL}").json()["cron"] == NIGHTLY["cron"]
        again = [{"prediction_id": name, "actual": value} for name, value in early.items()]
        assert client.post("/feedback", json=again).json()["repeated"] == len(early)
        until(lambda: restored.jobs.find(job.id).attempt > job.attempt + 1, 120)  # it is begun again
        client.post(f"/train/cancel/{job.id}").raise_for_status()
        restored.wait(job, "cancelled")
    restored.close()


def predict(client: httpx2.Client) -> list[dict[str, Any]]:
    """Whole answers, but for what names each one."""
    answers = [client.post("/predict", json=row).raise_for_status().json() for row in ROWS]
    own = {"prediction_id", "prediction_timestamp"}
    return [{name: value for name, value in answer.items() if name not in own} for answer in answers]


@contextmanager
def load(url: str) -> Iterator[dict[str, float]]:
    """Predictions and their actuals, one after another; gives what was told of each, once it was accepted."""
    told: dict[str, float] = {}
    failed: list[BaseException] = []
    over = Event()

    def go_on() -> None:
        try:
            with httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
                while not over.is_set():
                    name = (
                        client.post("/predict", json=LOAD | {"model_name": BUSY})
                        .raise_for_status()
                        .json()["prediction_id"]
                    )
                    actual = len(told) / 7
                    client.post("/feedback", json={"prediction_id": name, "actual": actual}).raise_for_status()
                    told[name] = actual
        except BaseException as error:  # noqa: BLE001 - the test's affair
            failed.append(error)

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield told
    finally:
        over.set()
        thread.join()
    assert failed == []


@contextmanager
def serving(settings: Settings) -> Iterator[httpx2.Client]:
    """A server process and a client of it."""
    server, url = start(settings.data_dir, **settings.environment | {"API_PORT": "0", "LOG_FORMAT": "json"})
    try:
        with httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
            yield client
    finally:
        stop(server)  # type: ignore[arg-type]


def perfcast(command: str, *words: object, settings: Settings) -> None:
    """Run a command."""
    given = {"PYTHONPATH": os.pathsep.join(sys.path), "BACKUP_PASSPHRASE": "a long passphrase"}
    done = subprocess.run(
        [sys.executable, "-m", "perfcast", command, *map(str, words)],
        env=os.environ | settings.environment | given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def rows(shop: Shop, name: str) -> list[Any]:
    """All rows of a table."""
    table = schema.metadata.tables[name]
    with shop.database.read() as connection:
        return list(connection.execute(sa.select(table).order_by(*table.primary_key)))


def predictions(shop: Shop) -> set[str]:
    """The identifiers of all that were recorded."""
    with shop.database.read() as connection:
        return {record.id for record in read_records(connection)}


def told_actuals(shop: Shop) -> dict[str, float]:
    """What was told, by the prediction's identifier."""
    return {row.prediction: row.value for row in rows(shop, "actual")}


def destroy(shop: Shop) -> None:
    """Leave nothing of it."""
    blobs = Blobs(shop.settings.artifacts_address)
    for name, column in (("version", "graph"), ("dataset", "blob")):
        for row in rows(shop, name):
            blobs.delete(getattr(row, column))
    shop.database.close()
    if shop.settings.database_url:
        with psycopg.connect(shop.settings.database_url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("DROP SCHEMA IF EXISTS optuna CASCADE")
    shutil.rmtree(shop.settings.data_dir)
