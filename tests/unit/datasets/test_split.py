import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.datasets import Dataset, Part, configuration_numbers, split_by_configuration, split_by_time
from perfcast.datasets._dataset import without_repeats
from perfcast.errors import InvalidData
from perfcast.workloads import Rows, builtin_workloads, workload_from_document
from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate


def rows_of(part: Part) -> set[bytes]:
    return {row.tobytes() for row in part.features}


def table(rows: int, *, seed: int = 0, values: int = 40) -> Rows:
    return np.random.default_rng(seed).integers(0, values, (rows, 3)).astype(np.float32)


@given(st.integers(0, 10_000), st.integers(8, 60))
@settings(max_examples=25, deadline=None)
def test_no_configuration_stands_in_two_parts(seed: int, values: int) -> None:
    features = table(3000, seed=seed, values=values)
    split = split_by_configuration(Part(features, np.ones(len(features), dtype=np.float32)))
    parts = [rows_of(part) for part in (split.train, split.calibrate, split.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    assert sum(map(len, (split.train, split.calibrate, split.test))) == 3000


def test_a_configuration_stays_in_its_part_as_data_grows() -> None:
    features = table(6000, values=100)
    cost = np.ones(6000, dtype=np.float32)
    early, later = (split_by_configuration(Part(features[:n], cost[:n])) for n in (2000, 6000))
    assert rows_of(early.test) <= rows_of(later.test)
    assert rows_of(early.calibrate) <= rows_of(later.calibrate)
    assert rows_of(early.train) <= rows_of(later.train)


def test_the_shares_are_about_as_announced() -> None:
    features = table(20_000, values=100)
    rows = Part(features, np.ones(20_000, dtype=np.float32))
    split = split_by_configuration(rows)
    assert len(split.test) / 20_000 == pytest.approx(0.20, abs=0.015)
    assert len(split.calibrate) / 20_000 == pytest.approx(0.15, abs=0.015)


def test_negative_zero_is_the_same_configuration_as_zero() -> None:
    assert configuration_numbers(np.array([[0.0], [-0.0], [1.0]], dtype=np.float32)).tolist() == [0, 0, 1]


def test_rows_with_a_time_are_split_oldest_first_with_a_gap() -> None:
    simulation = simulate(Scenario(days=7))
    dataset = Dataset(
        "simulated",
        builtin_workloads()["cpu-utilization"],
        simulation.features,
        simulation.cpu_utilization,
        simulation.measured_at.astype("datetime64[us]"),
    )
    split = dataset.split()
    assert split.kind == "time"
    train, calibrate, test = (part.measured_at for part in (split.train, split.calibrate, split.test))
    assert train is not None
    assert calibrate is not None
    assert test is not None
    hour = np.timedelta64(1, "h")
    assert calibrate.min() - train.max() > hour
    assert test.min() - calibrate.max() > hour


def minutes(start: str, count: int) -> np.ndarray:
    return np.datetime64(start, "us") + np.arange(count) * np.timedelta64(60_000_000, "us")


@pytest.mark.parametrize(
    ("moments", "remark"),
    [
        (np.concatenate([minutes("2026-01-01", 600), minutes("2026-03-12", 300)]), None),
        (
            np.concatenate([minutes("1970-01-01", 1), minutes("2026-01-01", 2000)]),
            "1 rows are far.*1970-01-01T00:00:00Z",
        ),
    ],
)
def test_a_pause_of_weeks_or_a_row_of_1970_takes_no_part_away(moments: np.ndarray, remark: str | None) -> None:
    service = builtin_workloads()["cpu-utilization"]
    features = np.zeros((len(moments), 8), dtype=np.float32)
    dataset = Dataset("sessions", service, features, np.ones(len(moments), dtype=np.float32), moments)
    split = dataset.split()
    sizes = [len(part) / len(moments) for part in (split.train, split.calibrate, split.test)]
    assert sizes == pytest.approx([0.64, 0.14, 0.20], abs=0.005)
    train, calibrate, test = (part.measured_at for part in (split.train, split.calibrate, split.test))
    assert train is not None and calibrate is not None and test is not None  # noqa: PT018
    gap = np.timedelta64(8, "m")
    assert calibrate.min() - train.max() > gap
    assert test.min() - calibrate.max() > gap
    assert [bool(re.search(remark or "-", said)) for said in dataset.remarks] == ([True] if remark else [])


def test_rows_without_a_time_that_repeat_a_configuration_are_all_kept_unless_it_is_a_lookup_table() -> None:
    clock = np.tile(np.array([15.625] * 36 + [93.75] * 4, dtype=np.float32), 400)
    items = np.repeat(np.arange(1, 401, dtype=np.float32), 40)[:, None]
    document = {
        "name": "handling",
        "cost": {"name": "ms", "relative": True, "minimum": 0},
        "features": [{"name": "items"}],
    }
    measured = Dataset("clock", workload_from_document(document), items, clock)
    kept, repeats = without_repeats(measured)
    assert (len(kept), repeats) == (16_000, 0)
    assert "400 configurations, measured 40 times each" in measured.remarks[0]
    assert not rows_of(kept.split().train) & rows_of(kept.split().test)
    table = Dataset("clock", workload_from_document(document | {"repeats": "lookup"}), items, clock)
    assert without_repeats(table)[1] == 15_200


@pytest.mark.parametrize(
    ("rows", "repeats"),
    [
        ([(0, 1, 5), (0, 1, 5), (1, 1, 7), (1, 1, 7)], 2),
        ([(0, 1, 5), (0, 1, 5), (0, 2, 7), (1, 1, 7)], 1),
        ([(0, 1, 5), (0, 1, 5), (0, 1, 7), (1, 1, 7)], 0),
    ],
    ids=["exported twice", "another configuration's cost", "one configuration has two costs at one time"],
)
def test_equal_rows_of_one_time_are_repeats_unless_times_are_coarser_than_measurements(
    rows: list[tuple[int, int, int]], repeats: int
) -> None:
    document = {"name": "handling", "cost": {"name": "ms"}, "features": [{"name": "items"}]}
    minute, items, cost = np.array(rows).T
    columns = (items[:, None].astype(np.float32), cost.astype(np.float32), minutes("2026-01-01", 2)[minute])
    assert without_repeats(Dataset("log", workload_from_document(document), *columns))[1] == repeats
    table = Dataset("table", workload_from_document(document | {"repeats": "lookup"}), *columns)
    assert without_repeats(table)[1] == max(repeats, 1)


def test_times_that_are_too_few_are_named_as_the_cause() -> None:
    rows = Part(table(2000), np.ones(2000, dtype=np.float32), np.repeat(minutes("2026-01-01", 2), 1000))
    with pytest.raises(InvalidData, match="2,000 rows with 2 distinct times are too few: a part would have 0"):
        split_by_time(rows)


def test_convolutions_are_split_by_configuration_even_when_they_carry_a_time() -> None:
    workload = builtin_workloads()["cnn-execution-time"]
    sizes = np.arange(1, 401, dtype=np.float32)
    fixed = np.tile(np.array([8, 8, 8, 8, 3, 1, 1, 1, 1, 3, 1, 1, 1, 1], dtype=np.float32), (400, 1))
    features = np.concatenate([sizes[:, None], fixed], axis=1)
    moments = np.arange(400).astype("datetime64[s]").astype("datetime64[us]")
    dataset = Dataset("timed", workload, features, sizes, moments)
    assert dataset.split().kind == "configuration"


def test_too_few_rows_are_refused_saying_how_many_it_takes() -> None:
    with pytest.raises(InvalidData, match="too few"):
        split_by_configuration(Part(table(30), np.ones(30, dtype=np.float32)))
    with pytest.raises(InvalidData, match="time of measurement"):
        split_by_time(Part(table(600), np.ones(600, dtype=np.float32)))
