"""A version that says it keeps trends is asked."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from perfcast.datasets import Dataset
from perfcast.export import Predict
from perfcast.training import Trained
from perfcast.training._draft import proven
from perfcast.training._path import Path
from perfcast.training.families import families
from perfcast.training.fits import inner_validation
from perfcast.training.judging import broken_trends
from perfcast.workloads import Rows, Workload, workload_from_document

DECLARED = {
    "name": "serving",
    "cost": {"name": "load", "unit": "percent", "minimum": 0, "maximum": 100},
    "features": [
        {"name": "rate", "minimum": 0, "maximum": 50, "trend": "increasing"},
        {"name": "pods", "type": "integer", "minimum": 1, "trend": "decreasing"},
        {"name": "age", "minimum": 0},
    ],
    "derived": [{"name": "rate_per_pod", "expression": "rate / pods"}],
    "rules": [{"check": "age <= 9", "field": "age", "message": "must be at most 9"}],
}


@pytest.mark.parametrize(
    ("cost", "named"),
    [
        (lambda rate, pods, age: rate / pods + 5 * np.sin(age), []),
        (lambda rate, pods, age: rate - 20 * (rate > 30), ["rate"]),
        (lambda rate, pods, age: np.where(rate <= 50, rate, 0), []),
        (lambda rate, pods, age: pods - rate, ["rate", "pods"]),
        (lambda rate, pods, age: 50 + 1e-6 * np.sin(9 * rate), []),
        (lambda rate, pods, age: rate * (pods == np.rint(pods)) - 90 * (age > 9) * rate, []),
    ],
    ids=["kept", "a step down", "within bounds", "both wrong", "rounding", "only rows that are allowed"],
)
def test_each_feature_with_a_trend_is_swept(cost: Callable[..., Rows], named: list[str]) -> None:
    workload = workload_from_document(DECLARED)
    random = np.random.default_rng(0)
    rows = np.stack([random.uniform(0, 50, 80), random.integers(1, 9, 80), random.uniform(0, 9.5, 80)], axis=1)
    rows[:9, 0] = 0
    told = broken_trends(Path(workload), lambda features: cost(*features.T).astype(np.float32), rows.astype(np.float32))
    assert bool(told) == bool(named)
    assert [name for name in ("rate", "pods") if f"{name} in " in told] == named


def test_a_derived_quantity_with_a_trend_is_swept_alone() -> None:
    declared = {**DECLARED, "derived": [{**DECLARED["derived"][0], "trend": "increasing"}]}  # type: ignore[index,dict-item]
    workload, rows = workload_from_document(declared), np.full((20, 3), 4, dtype=np.float32)
    given: list[Predict] = [lambda inputs: inputs[:, 3], lambda inputs: -inputs[:, 3]]
    told = [broken_trends(Path(workload), lambda features: features[:, 0], rows, of_inputs) for of_inputs in given]
    assert [note.rpartition("with ")[2] for note in told] == ["", "rate_per_pod in 220 of 220 steps"]


def test_a_derived_quantity_that_moves_along_without_a_trend_breaks_the_promise(dataset: Dataset) -> None:
    declared = dict(dataset.workload.document())
    declared["derived"] = [{"name": "share", "expression": "megabytes / streams"}]
    workload = workload_from_document(declared)
    split, family = replace(dataset, workload=workload).split(), families()["xgboost"]
    inner = inner_validation(split, workload, seed=0, threads=1)
    fitted = family.fit(inner.lesson, {**family.start(inner.lesson), "rounds": 60})
    model = Trained(Path(workload), family.name, fitted, inner.target, keeps_trends=True)
    assert proven(model, split.calibrate.features).keeps_trends is False


def test_xgboost_keeps_trends_with_every_objective(dataset: Dataset, workload: Workload) -> None:
    noisy = replace(
        dataset, cost=dataset.cost * np.exp(np.random.default_rng(1).normal(0, 0.5, len(dataset))).astype("f4")
    )
    split, family = noisy.split(), families()["xgboost"]
    inner = inner_validation(split, workload, seed=0, threads=1)
    target, lesson = inner.target, inner.lesson_of("training")
    for objective in ("squared", "pseudo_huber", "absolute"):
        settings = {**family.start(lesson), "objective": objective, "rounds": 60}
        model = Trained(Path(workload), family.name, family.fit(lesson, settings), target, settings, keeps_trends=True)
        told = proven(model, split.calibrate.features)
        assert family.keeps_trends(settings)
        assert told.keeps_trends
        assert not told.notes


@pytest.mark.parametrize(("promised", "said"), [(True, False), (False, False), (None, None)])
def test_a_version_that_goes_against_a_trend_says_so_whether_it_promised_it_or_not(
    dataset: Dataset, workload: Workload, *, promised: bool | None, said: bool | None
) -> None:
    split, family = replace(dataset, cost=1 / dataset.cost).split(), families()["polynomial"]
    inner = inner_validation(split, workload, seed=0, threads=1)
    fitted = family.fit(inner.lesson, family.start(inner.lesson))
    model = Trained(Path(workload), family.name, fitted, inner.target, keeps_trends=promised)
    told = proven(model, split.calibrate.features)
    assert told.keeps_trends is said
    assert any("doesn't keep trends" in note and "megabytes" in note for note in told.notes) is (promised is not None)
