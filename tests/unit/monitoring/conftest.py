"""An empty database of each kind."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from tests.services import empty

from perfcast.storage import Database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """What a module's tests use one after another."""
    if request.param == "sqlite":
        migrated: Path = request.getfixturevalue("migrated_sqlite")
        url = f"sqlite:///{copyfile(migrated, tmp_path_factory.mktemp('monitoring') / 'perfcast.db')}"
    else:
        url = request.getfixturevalue("migrated_postgres_url")
    made = Database(url)
    yield made
    made.close()


@pytest.fixture
def database(shared: Database) -> Database:
    empty(shared)
    return shared
