"""Every test that asks for `registry` runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.services import empty

from perfcast.registry import Registry
from perfcast.storage import Blobs, Database


@dataclass(frozen=True)
class Place:
    """Where a registry is kept, so that other processes can open it too."""

    database: str
    blobs: str

    def open(self) -> Registry:
        return Registry(Database(self.database), Blobs(self.blobs))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(request.getfixturevalue('migrated_sqlite'), tmp_path)}"
    else:
        url = str(request.getfixturevalue("migrated_postgres_url"))
    return Place(url, str(tmp_path / "blobs"))


@pytest.fixture
def database(place: Place) -> Iterator[Database]:
    database = Database(place.database)
    empty(database)
    yield database
    database.close()


@pytest.fixture
def registry(place: Place, database: Database) -> Registry:
    return Registry(database, Blobs(place.blobs))
