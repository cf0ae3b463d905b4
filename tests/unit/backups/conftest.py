"""Places that hold everything, and empty ones of every kind."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from tests.drafts import draft, weighted
from tests.workers import small_dataset

from perfcast.datasets import Datasets
from perfcast.jobs import Asked, Jobs, Plan, Schedules, Submissions, make_transport
from perfcast.monitoring import Actual, Record, keep_actuals, write_records
from perfcast.registry import Registry
from perfcast.settings import load_settings
from perfcast.storage import Blobs, Database, held_tables
from perfcast.workloads import builtin_workloads

MODEL = "cpu-utilization"


@dataclass(frozen=True)
class Place:
    """Where state is kept."""

    database: Database
    blobs: Blobs

    @property
    def registry(self) -> Registry:
        return Registry(self.database, self.blobs)

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table, but for the number that counts changes."""
        with self.database.read() as connection:
            tables = {table.name: table for table in held_tables(connection).sorted_tables if table.name != "revision"}
            return {
                str(name): [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
                for name, table in tables.items()
            }

    def bytes_of_all(self) -> dict[str, bytes]:
        """All graphs and datasets that are named, by their digests."""
        rows = self.rows()
        with self.database.read() as connection:
            tables = held_tables(connection).tables
            at = {name: tables[name].columns.keys().index(column) for name, column in COLUMNS.items()}
        named = {str(row[at[name]]) for name in COLUMNS for row in rows[name]}
        return {digest: self.blobs.get(digest) for digest in named}


COLUMNS = {"version": "graph", "dataset": "blob"}


@pytest.fixture
def new_place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Place]]:
    """Makes a place without anything: `sqlite` with a folder, `postgresql` with a store that only fsspec knows."""
    numbers, made = count(), []

    def make(kind: str) -> Place:
        name = f"{tmp_path.name}-{next(numbers)}"
        if kind == "sqlite":
            place = Place(
                Database(f"sqlite:///{tmp_path / name}/perfcast.db"), Blobs(str(tmp_path / name / "artifacts"))
            )
        else:
            address = request.getfixturevalue("new_postgres_url")()
            place = Place(Database(address), Blobs(f"memory://{tmp_path.name}/{name}"))
        made.append(place)
        return place

    yield make
    for place in made:
        place.database.close()


@pytest.fixture
def full(new_place: Callable[[str], Place], tmp_path: Path) -> Place:
    """One with something in most tables, on SQLite."""
    place = new_place("sqlite")
    fill(place, tmp_path / "queue")
    return place


def fill(place: Place, folder: Path) -> None:
    """Two versions, a dataset, predictions, actuals, a job and a schedule."""
    place.database.migrate()
    workload, datasets = builtin_workloads()[MODEL], Datasets(place.database, place.blobs)
    datasets.add(small_dataset())
    for weight in (0.25, 0.5):
        place.registry.add(MODEL, draft(workload, weighted(workload, request_rate=weight)), dataset="simulated")
    place.registry.point(MODEL, "champion", 1, reason="ä ✓ \"'")
    with place.database.begin() as connection:
        rows = [(f"{number:011x}", 0.1 * number, 1e-300 * number, None) for number in range(1, 1500)]
        write_records(
            connection,
            [
                Record(name, MODEL, 1, [cost, 2.5], cost, low, up, "2026-03-01T00:00:00Z")
                for name, cost, low, up in rows
            ],
        )
        keep_actuals(
            connection, [Actual(name, name, cost + 1 / 3) for name, cost, _, _ in rows[:700]], "2026-03-01T00:01:00Z"
        )
    settings = load_settings(data_dir=folder)
    transport = make_transport(settings)
    submissions = Submissions(datasets, place.registry, builtin_workloads())
    jobs = Jobs(place.database, transport, attempts=3, retry_seconds=1.0)
    jobs.submit(submissions.complete(Asked(model_name=MODEL)))
    Schedules(place.database, submissions, ZoneInfo("UTC")).put(MODEL, Plan(cron="0 3 * * *", drift=True))
    transport.close()
