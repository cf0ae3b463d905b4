"""The whole application in this process, on a registry that the test fills."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.drafts import draft, weighted

from perfcast.api import Services, create_app
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path, refresh_seconds=0.05, prediction_log_seconds=0.05, max_body_bytes=2048)


@pytest.fixture
def registry(settings: Settings, migrated_sqlite: Path) -> Iterator[Registry]:
    """Two versions of a `cpu-utilization` model, the first of which is champion."""
    shutil.copy(migrated_sqlite, settings.data_dir)
    database = Database(settings.database_address)
    registry = Registry(database, Blobs(settings.artifacts_address))
    workload = builtin_workloads()["cpu-utilization"]
    for weight in (0.25, 0.5):
        registry.add("cpu-utilization", draft(workload, weighted(workload, request_rate=weight)))
    registry.point("cpu-utilization", "champion", 1)
    yield registry
    database.close()


@pytest.fixture
def services(settings: Settings) -> Services:
    return Services(settings)


@pytest.fixture
def client(settings: Settings, services: Services, registry: Registry) -> Iterator[TestClient]:
    assert registry.models()
    with TestClient(create_app(settings, services=services), raise_server_exceptions=False) as client:
        yield client
