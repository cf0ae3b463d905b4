import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.datasets import Dataset, Part, configuration_numbers, split_by_configuration, split_by_time
from perfcast.errors import InvalidData
from perfcast.workloads import Rows, builtin_workloads
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


def test_the_shares_are_about_as_announced_and_the_seed_changes_the_parts() -> None:
    features = table(20_000, values=100)
    rows = Part(features, np.ones(20_000, dtype=np.float32))
    split = split_by_configuration(rows)
    assert len(split.test) / 20_000 == pytest.approx(0.20, abs=0.015)
    assert len(split.calibrate) / 20_000 == pytest.approx(0.15, abs=0.015)
    assert rows_of(split.test) != rows_of(split_by_configuration(rows, seed=1).test)


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


def test_convolutions_are_split_by_configuration_even_when_they_carry_a_time() -> None:
    workload = builtin_workloads()["cnn-execution-time"]
    sizes = np.arange(1, 401, dtype=np.float32)
    fixed = np.tile(np.array([8, 8, 8, 8, 3, 1, 1, 1, 1], dtype=np.float32), (400, 1))
    features = np.concatenate([sizes[:, None], fixed], axis=1)
    moments = np.arange(400).astype("datetime64[s]").astype("datetime64[us]")
    dataset = Dataset("timed", workload, features, sizes, moments)
    assert dataset.split().kind == "configuration"


def test_too_few_rows_are_refused_saying_how_many_it_takes() -> None:
    with pytest.raises(InvalidData, match="too few"):
        split_by_configuration(Part(table(60), np.ones(60, dtype=np.float32)))
    with pytest.raises(InvalidData, match="time of measurement"):
        split_by_time(Part(table(600), np.ones(600, dtype=np.float32)))
