"""What a command works with, built once from the settings and closed at its end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from perfcast.datasets import Datasets
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import Workload, load_workloads


@dataclass(frozen=True)
class Workbench:
    """The rooms, composed."""

    settings: Settings
    database: Database
    datasets: Datasets
    registry: Registry
    workloads: Mapping[str, Workload]


@contextmanager
def workbench(settings: Settings) -> Iterator[Workbench]:
    """Open the database (bringing its schema up to date) and what stands on it."""
    database = Database(settings.database_address, pool_size=settings.database_pool_size)
    try:
        if not database.is_current():
            database.migrate()
        blobs = Blobs(settings.artifacts_address)
        yield Workbench(
            settings=settings,
            database=database,
            datasets=Datasets(database, blobs),
            registry=Registry(database, blobs),
            workloads=load_workloads(settings.workloads_dir),
        )
    finally:
        database.close()
