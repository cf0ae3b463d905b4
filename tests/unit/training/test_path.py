"""What moves with a load is learnt from rows in time, and trends hold along that way."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.datasets import Dataset
from perfcast.export import run
from perfcast.training import Budget, train
from perfcast.training._path import Path, learn_path
from perfcast.training.judging import broken_trends
from perfcast.workloads import Rows, Workload, workload_from_document

DECLARED = {
    "name": "shop",
    "cost": {"name": "cpu", "unit": "percent", "minimum": 0, "maximum": 100},
    "features": [
        {"name": "rate", "minimum": 0, "trend": "increasing"},
        {"name": "users", "type": "integer", "minimum": 0},
        {"name": "warm", "minimum": -50},
        {"name": "pods", "type": "integer", "minimum": 1, "trend": "decreasing"},
        {"name": "hour_sin", "minimum": -1, "maximum": 1, "clock": True},
    ],
    "derived": [
        {"name": "rate_squared", "expression": "rate * rate", "trend": "increasing"},
        {"name": "rate_per_user", "expression": "rate / max(users, 1)", "trend": "increasing"},
        {"name": "rate_per_degree", "expression": "rate / (60 + warm)"},
        {"name": "warm_squared", "expression": "warm * warm"},
    ],
}
SLOPES = {"rate": {"users": 0.5}}


@pytest.fixture(scope="module")
def shop() -> Workload:
    return workload_from_document(DECLARED)


@pytest.fixture(scope="module")
def minutes(shop: Workload) -> Dataset:
    """Three days: users follow the rate, weather and pods don't; with the rate held fixed, more users cost less."""
    random = np.random.default_rng(0)
    time = np.arange(4320)
    rate = 130 + 60 * np.sin(2 * np.pi * time / 1440) + random.normal(0, 8, len(time))
    users = np.rint(0.5 * rate + random.normal(0, 6, len(time)))
    warm, pods = random.normal(10, 5, len(time)), random.integers(2, 6, len(time))
    features = np.stack([rate, users, warm, pods, np.sin(2 * np.pi * time / 1440)], axis=1)
    cost = 0.3 * rate - 0.2 * (users - 0.5 * rate) + random.normal(0, 1, len(time))
    moments = np.datetime64("2026-03-02T00:00", "us") + time.astype("timedelta64[m]")
    return Dataset("shop", shop, features.astype(np.float32), cost.clip(0, 100).astype(np.float32), moments)


def test_only_what_moves_with_a_load_follows_it(shop: Workload, minutes: Dataset) -> None:
    slopes = learn_path(shop, minutes.split()).slopes
    assert list(slopes) == ["rate"]
    assert list(slopes["rate"]) == ["users"]
    assert slopes["rate"]["users"] == pytest.approx(0.5, rel=0.03)


def test_rows_without_a_time_show_no_path(shop: Workload, minutes: Dataset) -> None:
    planned = replace(minutes, measured_at=None)
    assert not learn_path(shop, planned.split()).slopes


def test_without_a_path_models_read_the_workloads_inputs(shop: Workload, minutes: Dataset) -> None:
    path = Path(shop)
    assert (path.input_names, path.trends, path.expressions) == (shop.input_names, shop.trends, None)
    np.testing.assert_array_equal(path.inputs(minutes.features[:9]), shop.inputs(minutes.features[:9]))


def test_what_could_fall_along_the_path_is_not_read(shop: Workload) -> None:
    path = Path(shop, SLOPES)
    assert dict(zip(path.input_names, path.trends, strict=True)) == {
        "rate": 1, "users": 1, "warm": 0, "pods": -1, "hour_sin": 0, "warm_squared": 0, "users_beyond_path": 0,
    }  # fmt: skip
    assert path.straight == (True, True, True, True, True, False, True)


@given(
    row=st.tuples(*[st.floats(0, 400, width=32)] * 3, st.integers(1, 9), st.floats(-1, 1, width=32)),
    more=st.floats(0, 400, width=32),
)
def test_along_the_path_inputs_with_a_trend_rise_and_the_others_stay(row: tuple[float, ...], more: float) -> None:
    path = Path(workload_from_document(DECLARED), SLOPES)
    before = np.array([row], dtype=np.float32).round(2)
    before[0, 1] = np.rint(before[0, 1])
    loaded = before.copy()
    loaded[0, 0] += 2 * np.rint(more)  # so that the users it brings are whole
    change = (path.inputs(path.follow(loaded, before)) - path.inputs(before))[0]
    trends = np.array(path.trends)
    assert (change[trends > 0] >= 0).all()
    np.testing.assert_allclose(change[trends <= 0], 0, atol=1e-4)


def test_a_trend_is_judged_along_the_path(shop: Workload, minutes: Dataset) -> None:
    rows = minutes.features[:200]

    def falls_with_users_held(features: Rows) -> Rows:
        return np.asarray(features[:, 1] * 3 - features[:, 0], dtype=np.float32)

    def falls_along_the_path(features: Rows) -> Rows:
        return np.asarray(features[:, 0] - features[:, 1] * 3, dtype=np.float32)

    path = Path(shop, SLOPES)
    assert not broken_trends(path, falls_with_users_held, rows)
    assert "rate in 2" in broken_trends(Path(shop), falls_with_users_held, rows)
    assert "rate in 2" in broken_trends(path, falls_along_the_path, rows)


def test_a_version_tells_its_path_and_keeps_the_trend_along_it(minutes: Dataset) -> None:
    training = train(minutes, Budget(trials=2), family_names=["xgboost"], threads=1)
    (best,) = training.drafts
    manifest = best.manifest
    assert manifest.keeps_trends
    assert manifest.path["rate"]["users"] == pytest.approx(0.5, rel=0.03)
    assert manifest.metrics is not None
    assert manifest.metrics.mae < 1.2  # the noise alone makes 0.8
    path, rows = Path(minutes.workload, manifest.path), minutes.features[-300:]
    loaded = rows.copy()
    loaded[:, 0] += 2
    assert (run(best.graph, path.follow(loaded, rows)) >= run(best.graph, rows) - 1e-3).mean() > 0.99
    far = rows.copy()
    far[:, 0] *= 1.5
    risen = run(best.graph, path.follow(far, rows)) - run(best.graph, rows)
    np.testing.assert_allclose(risen.mean(), 0.3 * 0.5 * rows[:, 0].mean(), rtol=0.15)
