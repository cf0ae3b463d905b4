"""What degrades `/health`: a full disk, records that can't be written, workers that don't look."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.patience import until

from perfcast.api import Services
from perfcast.api.health import backlog_problems
from perfcast.api.health._host import disk_problem, look_at_host
from perfcast.monitoring import Backlog, PredictionLog, Record, write_records
from perfcast.storage import Database, time_text

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def test_a_disk_that_is_nearly_full_is_told(tmp_path: Path) -> None:
    figures = look_at_host([tmp_path, tmp_path / "not" / "yet"])
    assert disk_problem({**figures, "system_disk_used_percent": 94.9}) is None
    told = disk_problem({**figures, "system_disk_used_percent": 97.5, "system_disk_free_bytes": 1.2e9})
    assert told is not None
    assert told.startswith("97.5 % of the disk are used, 1,200 MB are free; make room, or lower PREDICTION_LOG_BYTES")
    assert disk_problem(None) is None


def test_what_waits_for_more_than_five_minutes_is_told() -> None:
    late, soon = time_text(NOW - timedelta(minutes=6)), time_text(NOW - timedelta(minutes=4))
    assert backlog_problems(None, NOW) == {}
    assert backlog_problems(Backlog(3, soon), NOW) == {}
    assert backlog_problems(Backlog(3, None), NOW) == {}
    told = backlog_problems(Backlog(1234, late), NOW)
    assert "start `perfcast worker`" in told["predictions"]


def test_health_tells_of_predictions_that_nobody_looks_at(client: TestClient, services: Services) -> None:
    late = time_text(datetime.now(UTC) - timedelta(minutes=6))
    with services.database.begin() as connection:
        write_records(connection, [Record("1a21d52521d06eefbd70000267", "m", 1, [1.0], 5.0, 4.0, 6.0, late)])
    until(lambda: "predictions" in client.get("/health").json()["problems"])
    assert client.get("/health").json()["status"] == "degraded"


@pytest.fixture
def full(tmp_path: Path) -> Database:
    """A database that must not grow."""
    database = Database(f"sqlite:///{tmp_path / 'full.db'}", pool_size=1)
    database.migrate()
    with database.begin() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    return database


def test_records_that_can_not_be_written_or_were_lost_are_told(full: Database) -> None:
    log = PredictionLog(full, seconds=60, capacity=500)
    assert log.problems == {}
    for number in range(501):
        log.append(Record(f"{number:04x}", "m", 1, [number * 0.123] * 10, 1.0, None, None, time_text(NOW)))
    log.extend([])  # which writes what waits
    assert log.waiting == 500
    told = log.problems["prediction_records"]
    assert told.startswith("can't be written, 500 wait: ")
    assert "database or disk is full" in told
    assert told.endswith("1 were lost, since more than 500 may not wait")
    with full.begin() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    log.flush()
    assert (log.written, log.dropped, log.waiting) == (500, 1, 0)
