"""What features add to a prediction."""

from itertools import permutations

import numpy as np
import pytest

from perfcast.datasets import shipped_dataset
from perfcast.errors import Refused
from perfcast.explanation import choose_background, explain, importance
from perfcast.workloads import Rows, Workload, builtin_workloads, check_table, right_rows, workload_from_document

CPU, CNN = (builtin_workloads()[name] for name in ("cpu-utilization", "cnn-execution-time"))
THREE = workload_from_document(
    {
        "name": "three",
        "cost": {"name": "seconds", "unit": "s", "minimum": 0},
        "features": [{"name": name, "minimum": 0} for name in "abc"],
    }
)


def asks(workload: Workload, **weights: float) -> Rows:
    return np.array([weights.get(name, 0.0) for name in workload.feature_names], np.float32)


def some(workload: Workload, rows: int) -> Rows:
    return np.random.default_rng(3).uniform(1, 5, (rows, len(workload.features))).astype(np.float32)


def uneven(rows: Rows) -> Rows:
    """a · b + √c."""
    return np.asarray(rows[:, 0] * rows[:, 1] + np.sqrt(rows[:, 2]), np.float32)


def test_of_a_sum_each_feature_adds_its_own_term() -> None:
    background, row, weights = some(THREE, 20), np.array([9, 2, 7], np.float32), asks(THREE, a=2, c=0.5)
    found = explain(THREE, lambda rows: rows @ weights, row, background, most_rows=4 * 40)
    expected = dict(zip("abc", weights * (row - background.mean(axis=0)), strict=True))
    assert {one.feature: one.amount for one in found.contributions} == pytest.approx(expected, abs=1e-4)
    assert [one.feature for one in found.contributions] == ["a", "c", "b"]
    assert found.ways == 40


def test_what_features_add_comes_to_the_prediction() -> None:
    row = np.array([3, 9, 16], np.float32)
    found = explain(THREE, uneven, row, some(THREE, 7))
    assert found.cost == pytest.approx(31)
    assert found.base + sum(one.amount for one in found.contributions) == pytest.approx(31, rel=1e-6)
    assert found.typical is None
    assert {one.factor for one in found.contributions} == {None}


def test_it_is_the_mean_over_all_orders() -> None:
    row, background = np.array([3, 9, 16], np.float32), some(THREE, 4)
    expected = np.zeros(3)
    for order in permutations(range(3)):
        for begin in background:
            at = begin.copy()
            for player in order:
                before = uneven(at[None])[0]
                at[player] = row[player]
                expected[player] += (uneven(at[None])[0] - before) / (6 * len(background))
    found = explain(THREE, uneven, row, background, most_rows=40_000)
    amounts = {one.feature: one.amount for one in found.contributions}
    assert [amounts[name] for name in "abc"] == pytest.approx(expected, rel=0.03)


def test_where_errors_are_relative_factors_come_to_the_prediction_too() -> None:
    rows = shipped_dataset("cpu-torch").split().train.features
    found = explain(CNN, work, rows[5], choose_background(rows))
    assert found.typical is not None
    factors = [one.factor for one in found.contributions]
    assert found.typical * np.prod(factors) == pytest.approx(work(rows[5:6])[0], rel=1e-5)
    assert found.base + sum(one.amount for one in found.contributions) == pytest.approx(found.cost, rel=1e-5)


def work(rows: Rows) -> Rows:
    """Batch · input channels · output channels."""
    return np.asarray(rows[:, 0] * rows[:, 1] * rows[:, 4], np.float32)


def test_no_row_is_asked_that_is_not_allowed() -> None:
    rows, asked = shipped_dataset("cpu-torch").split().train.features, list[Rows]()

    def predict(given: Rows) -> Rows:
        asked.append(given)
        return work(given)

    for row in rows[:20]:
        explain(CNN, predict, row, choose_background(rows))
    every = np.concatenate(asked)
    assert right_rows(check_table(CNN, every), len(every)).all()
    assert len(asked) == 20, "one call each"


def test_where_no_way_is_allowed_it_is_refused() -> None:
    ruled = workload_from_document(
        {
            "name": "ruled",
            "cost": {"name": "seconds", "unit": "s", "minimum": 0},
            "features": [{"name": name, "minimum": 0} for name in "ab"],
            "rules": [{"check": "max(a, b) - min(a, b) <= 1", "field": "a", "message": "must be near b"}],
        }
    )
    with pytest.raises(Refused, match="no usual row leads to these features"):
        explain(ruled, lambda rows: rows[:, 0], np.array([9, 9], np.float32), np.array([[1, 1]], np.float32))


def test_all_that_a_clock_decides_is_one() -> None:
    background = np.array([[20, 10, 5, 0, 1, 0, 1, 0], [60, 30, 15, 1, 0, 0, 1, 1]], np.float32)
    row = np.array([90, 40, 20, -1, 0, 1, 0, 1], np.float32)
    found = explain(CPU, lambda rows: rows.sum(axis=1), row, background)
    assert {one.feature for one in found.contributions} == {
        "request_rate", "active_users", "db_connections", "timestamp"
    }  # fmt: skip


def test_importance_is_a_share_of_all_that_features_move() -> None:
    weights, rows = asks(THREE, a=3, b=1), some(THREE, 200)
    found = importance(THREE, lambda asked: asked @ weights, rows[50:], choose_background(rows[:50]))
    assert list(found) == ["a", "b", "c"]
    assert found == pytest.approx({"a": 0.75, "b": 0.25, "c": 0.0}, abs=0.04)
    assert importance(THREE, lambda asked: np.ones(len(asked), np.float32), rows, rows[:9]) == {}


def test_background_rows_differ() -> None:
    rows = np.repeat(some(THREE, 5), 30, axis=0)
    assert len(np.unique(choose_background(rows), axis=0)) == len(choose_background(rows)) == 5
    assert len(choose_background(some(THREE, 400))) == 32


def area(rows: Rows) -> Rows:
    return np.asarray(rows[:, 0] * rows[:, 1])


def test_what_nobody_stated_goes_with_what_it_follows() -> None:
    squares = workload_from_document(
        {
            "name": "squares",
            "cost": {"name": "seconds", "unit": "s", "minimum": 0},
            "features": [{"name": "height", "minimum": 0}, {"name": "width", "minimum": 0, "default": "height"}],
        }
    )
    background = np.array([[1, 1], [2, 3]], np.float32)
    for row, told in ((np.array([5, 5], np.float32), {"height"}), (np.array([5, 4], np.float32), {"height", "width"})):
        found = explain(squares, area, row, background)
        assert {one.feature for one in found.contributions} == told
        assert found.base + sum(one.amount for one in found.contributions) == pytest.approx(float(row.prod()))
