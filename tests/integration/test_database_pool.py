"""The API holds no more database connections than it may, and says so when all are busy."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted
from tests.patience import PATIENCE_SECONDS

from perfcast.api import create_app
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.storage import Blobs, Database, _engine
from perfcast.workloads import builtin_workloads

MOST = 3
CALLERS = 24


@pytest.fixture
def settings(tmp_path: Path, new_postgres_url: Callable[[], str]) -> Settings:
    """A database with one model."""
    settings = load_settings(data_dir=tmp_path, database_url=new_postgres_url(), database_pool_size=MOST)
    database = Database(settings.database_address)
    database.migrate()
    registry, workload = Registry(database, Blobs(settings.artifacts_address)), builtin_workloads()["cpu-utilization"]
    registry.add("cpu-utilization", draft(workload, weighted(workload, request_rate=0.25)))
    registry.point("cpu-utilization", "champion", 1)
    database.close()
    return settings


@pytest.fixture
def onlooker(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection that isn't the API's."""
    with psycopg.connect(settings.database_address, autocommit=True) as connection:
        yield connection


def held(onlooker: psycopg.Connection) -> int:
    """How many connections the API holds."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'perfcast'"
    row = onlooker.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_many_callers_at_once_share_the_connections_that_are_allowed(
    settings: Settings, onlooker: psycopg.Connection
) -> None:
    seen = []
    with TestClient(create_app(settings)) as client, ThreadPoolExecutor(CALLERS) as callers:
        calls = [callers.submit(client.get, "/models") for _ in range(10 * CALLERS)]
        while not all(call.done() for call in calls):
            seen.append(held(onlooker))
        assert {call.result().status_code for call in calls} == {200}
    assert 1 <= max(seen) <= MOST


def test_callers_that_get_no_connection_are_told_to_come_again(
    settings: Settings, onlooker: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_engine, "BUSY_SECONDS", 1)  # not ten
    with TestClient(create_app(settings)) as client, ThreadPoolExecutor(CALLERS) as callers:
        with psycopg.connect(settings.database_address) as blocker:
            blocker.execute("LOCK TABLE model IN ACCESS EXCLUSIVE MODE")  # whoever reads the models waits now
            began = time.monotonic()
            calls = [callers.submit(client.get, "/models") for _ in range(CALLERS)]
            while sum(call.done() for call in calls) < CALLERS - MOST:
                assert held(onlooker) <= MOST
                assert time.monotonic() < began + PATIENCE_SECONDS, "they hang"
            body = {"request_rate": 100, "active_users": 6, "db_connections": 2, "timestamp": "2026-03-02T14:05:00Z"}
            assert client.post("/predict", json=body).status_code == 200  # which needs no connection
            refused = [call.result() for call in calls if call.done()]
        waited = [call.result() for call in calls]
    for response in refused:
        assert response.status_code == 503
        assert response.headers["retry-after"] == "5"
        assert "raise DATABASE_POOL_SIZE" in response.json()["detail"]
        assert "secret" not in response.text
    assert {response.status_code for response in waited if response not in refused} <= {200}
    assert len(refused) >= CALLERS - MOST
