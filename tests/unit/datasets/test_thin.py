"""A line that grows leaves few datasets behind, and none that somebody needs."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from perfcast.datasets import Dataset, Datasets
from perfcast.storage import Blobs, Database, now, schema
from perfcast.workloads import builtin_workloads


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'perfcast.db'}"
    else:
        new: Callable[[], str] = request.getfixturevalue("new_postgres_url")
        url = new()
    made = Database(url)
    made.migrate()
    yield made
    made.close()


def dataset(number: int, source: str = "collector", name: str = "shop") -> Dataset:
    features = np.tile(np.float32([number, 5, 2, 0, 1, 0, 1, 1]), (3, 1))
    return Dataset(
        name, builtin_workloads()["cpu-utilization"], features, np.ones(3, np.float32), None, {"source": source}
    )


def test_only_old_ones_of_the_source_that_nobody_needs_are_forgotten(database: Database, tmp_path: Path) -> None:
    store = Datasets(database, Blobs(str(tmp_path / "artifacts")))
    kept = [store.add(each) for each in (dataset(0, "a file"), *map(dataset, range(1, 7)), dataset(9, name="other"))]
    with database.begin() as connection:
        _learn(connection, kept[1].digest)
        _ask_for_training(connection, kept[2].digest, finished_at=None)
        _ask_for_training(connection, kept[3].digest, finished_at=now())
    assert store.thin("shop", keep=2, source="collector") == 2
    left = [record.digest for record in store.list("shop")]
    assert left == [kept[n].digest for n in (6, 5, 2, 1, 0)]
    assert all(len(store.load(record)) == 3 for record in store.list())
    assert store.thin("shop", keep=2, source="collector") == 0


def _learn(connection: sa.Connection, digest: str) -> None:
    model = {"name": "m", "workload": "w", "dataset": "shop", "newest": 1, "created_at": now()}
    connection.execute(schema.model.insert(), model)
    manifest = json.dumps({"data": {"digest": digest}})
    version = {"model": "m", "number": 1, "type": "t", "manifest": manifest, "graph": "0" * 64, "bytes": 1, "note": ""}
    connection.execute(schema.version.insert(), version | {"created_at": now()})


def _ask_for_training(connection: sa.Connection, digest: str, *, finished_at: str | None) -> None:
    columns = [column for column in schema.job.columns if not column.nullable]
    job = {column.name: "" if isinstance(column.type, sa.String) else 0 for column in columns}
    told = {
        "id": digest[:36],
        "dataset": "shop",
        "request": {"digest": digest},
        "trials": [],
        "finished_at": finished_at,
    }
    connection.execute(schema.job.insert(), job | told)
