"""What people look at of a dataset: quantiles of all rows, some rows spread over all, and when they were measured."""

import io
from pathlib import Path

import numpy as np
import pytest
from tests.workers import small_dataset

from perfcast.datasets import (
    MOST_SHOWN,
    QUANTILES,
    Dataset,
    Datasets,
    from_parquet,
    judging_rows,
    newest_moment,
    spread,
    to_parquet,
)
from perfcast.datasets._files import times_in_parquet
from perfcast.datasets._overview import read_overview
from perfcast.errors import BrokenVersion, InvalidData
from perfcast.manifest import DataFacts
from perfcast.storage import Blobs, Database
from perfcast.workloads import workload_from_document

MINUTE = np.timedelta64(60, "s")


def timed(rows: int) -> Dataset:
    """Rows of a service, a minute apart."""
    plain = small_dataset(rows)
    moments = np.datetime64("2026-03-01T00:00:00", "us") + np.arange(rows) * MINUTE
    return Dataset("shop", plain.workload, plain.features, plain.cost, moments)


@pytest.mark.parametrize("rows", [1, 4_999, 5_000, 5_001, 7_777, 500_000])
def test_a_spread_takes_distinct_rows_from_beginning_to_end_the_same_each_time(rows: int) -> None:
    chosen = spread(rows, 5_000)
    assert len(chosen) == min(rows, 5_000)
    assert (np.diff(chosen) > 0).all()
    assert chosen[0] >= 0
    assert chosen[-1] < rows
    assert np.diff([-1, *chosen, rows]).max() <= 2 * -(-rows // len(chosen))
    assert np.array_equal(chosen, spread(rows, 5_000))


def test_a_spread_over_minutes_shows_every_hour_of_the_day() -> None:
    days = 1000
    hours = spread(days * 1440, days) // 60 % 24  # each thousandth of the rows is a day
    assert len(np.unique(hours)) == 24


def test_an_overview_has_the_quantiles_of_all_rows_and_rows_that_are_there() -> None:
    dataset = timed(12_000)
    found = read_overview(to_parquet(dataset))
    rate, cost = dataset.features[:, 0], dataset.cost
    assert found.quantiles["request_rate"] == pytest.approx(np.quantile(rate, QUANTILES), rel=1e-6)
    assert found.quantiles["cpu_utilization"] == pytest.approx(np.quantile(cost, QUANTILES), rel=1e-6)
    assert len(found.sample) == MOST_SHOWN
    whole = {
        (row.tobytes(), float(c), m) for row, c, m in zip(dataset.features, cost, dataset.measured_at, strict=True)
    }
    sample = found.sample
    assert sample.measured_at is not None
    shown = {(row.tobytes(), float(c), m) for row, c, m in zip(*vars(sample).values(), strict=True)}
    assert len(shown) == MOST_SHOWN
    assert shown <= whole


def test_a_choice_has_shares_in_place_of_quantiles() -> None:
    document = {
        "name": "queries",
        "cost": {"name": "query_ms"},
        "features": [{"name": "rows"}, {"name": "zone", "type": "choice", "values": ["a", "b", "c"]}],
    }
    features = np.array([[1, 0], [2, 2], [3, 2], [4, 2]], dtype=np.float32)
    dataset = Dataset("q", workload_from_document(document), features, np.ones(4, dtype=np.float32))
    found = read_overview(to_parquet(dataset))
    assert found.shares == {"zone": {"a": 0.25, "b": 0.0, "c": 0.75}}
    assert set(found.quantiles) == {"rows", "query_ms"}
    assert found.sample.measured_at is None


def test_the_time_is_that_of_the_first_and_the_last_row_whatever_their_order() -> None:
    dataset = timed(100)
    order = np.random.default_rng(0).permutation(100)
    mixed = dataset.rows.take(order)
    found = Dataset("shop", dataset.workload, mixed.features, mixed.cost, mixed.measured_at)
    times = times_in_parquet(io.BytesIO(to_parquet(found)))
    assert times == ("2026-03-01T00:00:00.000000Z", "2026-03-01T01:39:00.000000Z")
    assert times_in_parquet(io.BytesIO(to_parquet(small_dataset(10)))) is None


@pytest.mark.parametrize("data", [b"", b"PAR1 nothing of it PAR1"])
def test_what_is_no_dataset_is_told(data: bytes) -> None:
    for read in (read_overview, from_parquet):
        with pytest.raises(InvalidData, match="not a Parquet file"):
            read(data)


def test_rows_are_read_once_for_all_that_look(tmp_path: Path) -> None:
    database, blobs = Database(f"sqlite:///{tmp_path}/state.db"), Blobs(str(tmp_path / "artifacts"))
    database.migrate()
    store = Datasets(database, blobs)
    record, other = store.add(timed(300)), store.add(timed(400))
    first, times = store.overview(record), store.times(record)
    blobs.delete(record.blob)
    blobs.delete(other.blob)
    assert store.overview(record) is first
    assert store.times(record) == times
    for look in (store.overview, store.times):
        with pytest.raises(BrokenVersion, match="missing from"):
            look(other)
    database.close()


def facts(dataset: Dataset) -> DataFacts:
    """What training writes into a manifest, as `training/_draft.py` does."""
    split = dataset.split()
    until = newest_moment(split.calibrate.measured_at) if split.kind == "time" else None
    counts = {"train": len(split.train), "calibrate": len(split.calibrate), "test": len(split.test)}
    return DataFacts("shop", dataset.digest, len(dataset), 1, counts, split.description, learnt_until=until)


@pytest.mark.parametrize("dataset", [small_dataset(600), timed(600)], ids=["by configuration", "by time"])
def test_the_judging_rows_are_those_that_training_held_out(dataset: Dataset) -> None:
    judging = dataset.rows.take(judging_rows(dataset.rows, facts(dataset), dataset.workload.identifying))
    held = dataset.split().test
    np.testing.assert_array_equal(judging.features, held.features)
    np.testing.assert_array_equal(judging.cost, held.cost)


def test_of_a_version_that_learnt_from_the_newest_rows_alone_the_same_rows_judge() -> None:
    dataset = timed(900)
    newest = dataset.rows.take(np.arange(500, 900))
    learnt = Dataset("shop", dataset.workload, newest.features, newest.cost, newest.measured_at)
    judging = dataset.rows.take(judging_rows(dataset.rows, facts(learnt), dataset.workload.identifying))
    np.testing.assert_array_equal(judging.features, learnt.split().test.features)


def test_no_row_judges_that_the_version_has_learnt_from_or_where_it_does_not_tell() -> None:
    dataset = timed(600)
    told = facts(dataset)
    more = DataFacts("shop", told.digest, 600, 1, {"test": 590}, told.split, learnt_until=told.learnt_until)
    judging = judging_rows(dataset.rows, more, dataset.workload.identifying)
    assert judging.any()
    assert dataset.measured_at is not None
    assert (dataset.measured_at[judging] > dataset.split().calibrate.measured_at.max()).all()  # type: ignore[union-attr]
    silent = DataFacts("shop", told.digest, 600, 1, {}, "by hand")
    assert not judging_rows(dataset.rows, silent, dataset.workload.identifying).any()
