"""An empty database of each kind."""

from collections.abc import Iterator

import pytest
from tests.services import empty

from perfcast.storage import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{request.getfixturevalue('tmp_path') / 'perfcast.db'}"
    else:
        url = request.getfixturevalue("migrated_postgres_url")
    made = Database(url)
    made.migrate()
    empty(made)
    yield made
    made.close()
