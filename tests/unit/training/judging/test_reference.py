"""What is usual for a version is made from time it hasn't seen, quickly, and says how far to trust it."""

import msgspec
import numpy as np
import pytest

from perfcast.datasets import Dataset
from perfcast.manifest import BUDGETS, Reference
from perfcast.sessions import Costs
from perfcast.training.judging import calibrate, make_reference
from perfcast.workloads import Rows, builtin_workloads

CPU = builtin_workloads()["cpu-utilization"]


def reference(rows: int, *, timed: bool = True, off: float = 0) -> Reference:
    random = np.random.default_rng(0)
    features = random.uniform(0, 50, (rows, len(CPU.features))).astype(np.float32)
    features[:, 3:] = random.integers(0, 2, (rows, len(CPU.features) - 3))
    cost = np.clip(0.5 * features[:, 0] + random.normal(20, 2, rows), 0, 100).astype(np.float32)
    moments = (np.datetime64("2026-03-01T00:00") + np.arange(rows).astype("timedelta64[m]")).astype("datetime64[us]")
    split = Dataset("line", CPU, features, cost, moments if timed else None).split()

    def answer(asked: Rows) -> Rows:
        return (0.5 * asked[:, 0] + 20 + off).astype(np.float32)

    answers = Costs(answer(split.calibrate.features)), Costs(answer(split.test.features))
    return make_reference(CPU, split, answers, calibrate(CPU, split.calibrate.cost, *answers[0]))


def test_it_is_a_few_kilobytes_made_from_whole_days_without_the_features_of_a_clock() -> None:
    found = reference(20_000)
    assert set(found.inputs) == {"request_rate", "active_users", "db_connections"}
    assert len(msgspec.json.encode(found)) < 6_000
    assert found.days == 4
    assert "4 held-out days" in found.method
    assert found.errors.usual == pytest.approx(2 * np.sqrt(2 / np.pi), rel=0.05)
    assert set(found.errors.thresholds) == set(map(str, BUDGETS))
    assert found.misses is not None
    assert found.misses.usual == pytest.approx(0.1)
    assert found.burst > 8
    assert all(sum(item.shares) == pytest.approx(1, abs=1e-4) for item in found.inputs.values())


@pytest.mark.parametrize("timed", [False, True])
def test_without_days_rows_are_drawn_one_by_one_and_it_says_so(*, timed: bool) -> None:
    found = reference(1_000, timed=timed)
    assert found.days == 0
    assert "one by one" in found.method
    assert "false alarms may be more" in found.method
    if not timed:
        assert found.cost_run is None
        assert all(item.longest_run is None for item in found.inputs.values())


def test_a_version_worse_than_a_constant_does_not_make_large_errors_usual() -> None:
    sound, useless = reference(5_000), reference(5_000, off=60)
    assert useless.errors.usual < 10
    assert useless.errors.thresholds["1.0"] < 5 * sound.errors.thresholds["1.0"]


def test_it_is_the_same_each_time() -> None:
    assert reference(5_000) == reference(5_000)
