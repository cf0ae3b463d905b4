"""A collection of the shop's metrics, whatever server has them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.metric_servers import SHOP_BEGINS, SHOP_SECONDS

from perfcast.collect import Collection, Collector, Feedback, Journal, Line, Prometheus, Retries, read_collection
from perfcast.datasets import Datasets
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads

SHOP_ENDS = SHOP_BEGINS + SHOP_SECONDS
EU = '{job="shop",cluster="eu"}'
QUERIES = {
    "request_rate": f"sum(rate(http_requests_total{EU}[$window]))",
    "active_users": f"sum(avg_over_time(shop_active_users{EU}[$window]))",
    "db_connections": f"sum(avg_over_time(shop_db_connections{EU}[$window]))",
}
TARGET = f"sum(rate(process_cpu_seconds_total{EU}[$window]))"

Make = Callable[..., Collection]
"""Makes a collection of the shop at an address, with some fields changed."""


def write_file(path: Path, url: str, **changes: Any) -> Path:
    """A file that collects the shop's metrics, with some fields changed; None takes one out."""
    document: dict[str, Any] = {
        "server": {"url": url, "timeout": "20s"},
        "workload": "cpu-utilization",
        "dataset": "shop",
        "features": QUERIES,
        "target": TARGET,
        "capacity": 2,
    } | changes
    path.write_text(yaml.safe_dump({name: value for name, value in document.items() if value is not None}))
    return path


@pytest.fixture
def collection_of(tmp_path: Path) -> Make:
    """Makes a collection of the shop at an address, with some fields changed."""

    def make(url: str, **changes: Any) -> Collection:
        return read_collection(write_file(tmp_path / "collect.yaml", url, **changes), builtin_workloads())

    return make


@pytest.fixture
def datasets(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Datasets]:
    """Where datasets are kept; empty."""
    path = tmp_path / "perfcast.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    with closing(Database(f"sqlite:///{path}")) as database:
        yield Datasets(database, Blobs(str(tmp_path / "artifacts")))


class Bench:
    """A collector and what it works with."""

    def __init__(self, collection: Collection, datasets: Datasets, folder: Path, send: Any = None) -> None:
        self.collection, self.datasets = collection, datasets
        self.journal = Journal(folder / "shop.db", len(collection.workload.features))
        self.line = Line(datasets, collection, self.journal)
        self.feedback = Feedback(collection, self.journal, send) if send else None
        self.waits: list[str] = []
        self.collector = Collector(
            collection,
            Prometheus(collection.document.server),
            self.journal,
            self.line,
            feedback=self.feedback,
            retries=Retries(attempts=2, first=0.01, on_wait=lambda reason, _: self.waits.append(reason)),
        )
        self.recalled, self.anew = self.collector.prepare()


@pytest.fixture
def bench_of(datasets: Datasets, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Makes a collector for a collection; another call goes on with the same journal."""
    made: list[Bench] = []

    def make(collection: Collection, send: Any = None) -> Bench:
        made.append(Bench(collection, datasets, tmp_path / "journal", send))
        return made[-1]

    yield make
    for bench in made:
        bench.journal.close()
