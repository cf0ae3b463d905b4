"""A registry on SQLite with real bytes."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

import pytest

from perfcast.registry import Registry
from perfcast.serving import Follower
from perfcast.storage import Blobs, Database
from perfcast.workloads import Workload, builtin_workloads


@pytest.fixture
def cpu() -> Workload:
    return builtin_workloads()["cpu-utilization"]


@pytest.fixture
def cnn() -> Workload:
    return builtin_workloads()["cnn-execution-time"]


@pytest.fixture
def registry(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Registry]:
    database = Database(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path)}")
    yield Registry(database, Blobs(str(tmp_path / "artifacts")))
    database.close()


@pytest.fixture
def follow(registry: Registry) -> Iterator[Callable[[], Follower]]:
    """Makes followers that have looked once; those that were started are closed."""
    made: list[Follower] = []

    def make() -> Follower:
        made.append(Follower(registry, zone=UTC, refresh_seconds=0.05, workloads=builtin_workloads))
        made[-1].start()
        return made[-1]

    yield make
    for follower in made:
        follower.close()
