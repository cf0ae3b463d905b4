"""From the release before to this one: what it kept is migrated while replicas of it read and write."""

import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import sqlalchemy as sa
from tests.contract.conftest import start
from tests.patience import PATIENCE_SECONDS, until
from tests.workers import stop

from perfcast.backups._rows import insert_part, parts, read_part
from perfcast.storage import Database, held_tables, schema
from perfcast.storage._held import go_on_counting
from perfcast.storage._migration import upgrade

RELEASES = Path(__file__).parents[1] / "releases"
BEFORE = max(RELEASES.glob("*.tar.gz"))
MIGRATION = BEFORE.name.partition(".")[0]
MODEL = "cpu-utilization"
LOAD = {"request_rate": 120, "active_users": 60, "db_connections": 25, "timestamp": "2026-03-01T10:29:00Z"}


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database as the release before left it."""
    with tarfile.open(BEFORE) as kept:
        kept.extractall(tmp_path, filter="data")
    file = f"sqlite:///{tmp_path / 'perfcast.db'}"
    return file if request.param == "sqlite" else carried(file, request.getfixturevalue("new_postgres_url")())


def test_a_release_is_followed_by_this_one_under_load(address: str, tmp_path: Path) -> None:
    database = Database(address)
    assert database.migration() == MIGRATION
    with replica_of_before(database) as written:
        until(lambda: len(written) >= 3)
        with serving(tmp_path, address) as client:
            answer = client.post("/predict", json=LOAD).raise_for_status().json()
            assert (answer["cpu_utilization"], answer["model_version"]) == (30.0, 1)
            assert database.is_current()
            since = len(written)
            jobs = until(lambda: client.get("/train/jobs").json()["jobs"] if len(written) >= since + 3 else None)
            assert {job["status"] for job in jobs} == {"queued"}
            assert client.get(f"/schedules/{MODEL}").json()["cron"] == "0 3 1 1 *"
    with database.read() as connection:
        kept = set(connection.execute(sa.select(schema.job.c.id)).scalars())
        actuals = connection.scalar(sa.select(sa.func.count()).select_from(schema.actual))
        recorded = connection.scalar(sa.select(sa.func.sum(schema.prediction_block.c.count)))
    assert set(written) < kept
    assert actuals == 50
    assert recorded >= 200 * (1 + len(written))
    database.close()


def test_a_replica_that_starts_again_serves_on_what_a_newer_one_has_added_to(address: str, tmp_path: Path) -> None:
    database = Database(address)
    database.migrate()
    with database.begin() as connection:
        connection.execute(sa.text("ALTER TABLE job ADD COLUMN colour VARCHAR(16)"))
        connection.execute(sa.text("CREATE TABLE colour (name VARCHAR(16) PRIMARY KEY)"))
        mark = f"UPDATE alembic_version SET version_num = '9999_since_{schema.HEAD[:4]}'"
        connection.execute(sa.text(mark))
    with serving(tmp_path, address) as client:
        assert client.post("/predict", json=LOAD).raise_for_status().json()["cpu_utilization"] == 30.0
        submitted = client.post("/train", json={"model_name": MODEL, "n_trials": 1})
        assert submitted.status_code == 202, submitted.text
    assert (database.migration() or "").startswith("9999")
    database.close()


@contextmanager
def replica_of_before(database: Database) -> Iterator[list[str]]:
    """Reads and writes, over and over, what the release before knew of; gives the jobs that it added."""
    with database.read() as connection:
        known = held_tables(connection).tables  # as that release's own schema has them
    job, block, version = known["job"], known["prediction_block"], known["version"]
    written: list[str] = []
    failed: list[BaseException] = []
    over = threading.Event()

    def once() -> None:
        with database.read() as connection:
            connection.execute(sa.select(version)).all()
            given: dict[str, Any] = dict(connection.execute(sa.select(job)).mappings().first() or {})
            records = dict(connection.execute(sa.select(block)).mappings().first() or {})
        given["id"] = str(uuid4())
        with database.begin() as connection:
            connection.execute(sa.insert(job).values(given))
            connection.execute(sa.insert(block).values({key: records[key] for key in records if key != "id"}))
        written.append(given["id"])

    def go_on() -> None:
        try:
            while not over.is_set():
                once()
        except BaseException as error:  # noqa: BLE001 - the test's affair
            failed.append(error)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield written
    finally:
        over.set()
        thread.join()
    assert failed == []


@contextmanager
def serving(folder: Path, address: str) -> Iterator[httpx2.Client]:
    """A server of this release, which migrates as it starts."""
    server, url = start(folder, DATABASE_URL=address, ARTIFACTS_URL=str(folder / "artifacts"))
    try:
        with httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
            yield client
    finally:
        stop(server)  # type: ignore[arg-type]


def carried(file: str, address: str) -> str:
    """The same rows in PostgreSQL, in tables as that migration left them."""
    given, taken = Database(file), Database(address)
    with given.read() as reading, taken.begin() as connection:
        upgrade(connection, MIGRATION, address)
        connection.execute(sa.delete(schema.revision))
        tables = held_tables(connection).tables
        for table in held_tables(reading).sorted_tables:
            for data, _ in parts(reading, table):
                insert_part(connection, tables, str(table.name), read_part(data))
        go_on_counting(connection)
    given.close()
    taken.close()
    return address
