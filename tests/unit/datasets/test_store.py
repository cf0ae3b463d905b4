from pathlib import Path

import numpy as np
import pytest

from perfcast.datasets import Dataset, Datasets, from_parquet, to_parquet
from perfcast.errors import BrokenVersion, InvalidData, UnknownDataset
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads
from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate


def simulated(seed: int = 0) -> Dataset:
    simulation = simulate(Scenario(days=1, seed=seed))
    return Dataset(
        "simulated",
        builtin_workloads()["cpu-utilization"],
        simulation.features,
        simulation.cpu_utilization,
        simulation.measured_at.astype("datetime64[us]"),
        {"source": "simulator", "seed": seed},
    )


@pytest.fixture
def store(tmp_path: Path) -> Datasets:
    database = Database(f"sqlite:///{tmp_path}/state.db")
    database.migrate()
    return Datasets(database, Blobs(str(tmp_path / "artifacts")))


def test_a_dataset_comes_back_from_parquet_with_everything() -> None:
    dataset = simulated()
    again = from_parquet(to_parquet(dataset))
    assert again.digest == dataset.digest
    assert again.workload == dataset.workload
    assert again.provenance == dataset.provenance
    np.testing.assert_array_equal(again.measured_at, dataset.measured_at)


def test_a_dataset_is_kept_once_and_found_by_name_and_digest(store: Datasets) -> None:
    first, other = store.add(simulated()), store.add(simulated(1))
    assert [record.digest for record in store.list()] == [other.digest, first.digest]
    assert store.find("simulated") == other
    assert store.find("simulated", first.digest[:8]) == first
    assert store.load(first).digest == first.digest


def test_rows_that_are_kept_again_become_the_newest_of_their_name(store: Datasets) -> None:
    first, other = store.add(simulated()), store.add(simulated(1))
    again = store.add(simulated())
    assert again.digest == first.digest
    assert store.find("simulated") == again
    assert [record.digest for record in store.list()] == [first.digest, other.digest]


def test_an_unknown_dataset_names_the_known_ones(store: Datasets) -> None:
    store.add(simulated())
    with pytest.raises(UnknownDataset, match="simulated"):
        store.find("simulatd")


def test_altered_bytes_are_noticed(store: Datasets, tmp_path: Path) -> None:
    record = store.add(simulated())
    (path,) = (tmp_path / "artifacts").rglob(record.blob)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BrokenVersion):
        store.load(record)


def test_a_foreign_parquet_file_is_refused() -> None:
    import io

    import polars as pl

    sink = io.BytesIO()
    pl.DataFrame({"a": [1]}).write_parquet(sink)
    with pytest.raises(InvalidData, match="perfcast data import"):
        from_parquet(sink.getvalue())


def test_a_dataset_with_a_wrong_or_no_row_cannot_exist() -> None:
    workload = builtin_workloads()["cpu-utilization"]
    rows = np.zeros((2, 8), dtype=np.float32)
    with pytest.raises(InvalidData, match="cpu_utilization must lie between 0 and 100"):
        Dataset("d", workload, rows, np.array([5, 101], dtype=np.float32))
    with pytest.raises(InvalidData, match="no rows"):
        Dataset("d", workload, rows[:0], np.array([], dtype=np.float32))
