"""What more rows would bring."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.workers import small_dataset

from perfcast.datasets import Split
from perfcast.errors import Refused
from perfcast.manifest import Manifest
from perfcast.training import SHARES, Budget, learning_curve, shares_together, train
from perfcast.training.families import Lesson
from perfcast.training.families._network import FittedNetwork
from perfcast.training.families._network_fit import fit as fit_network


@pytest.fixture(scope="module")
def learnt() -> tuple[Manifest, Split]:
    training = train(small_dataset(), Budget(1), family_names=["polynomial"])
    return training.drafts[0].manifest, training.split


def test_each_share_is_judged_on_the_same_rows_and_all_rows_give_the_versions_own_error(
    learnt: tuple[Manifest, Split],
) -> None:
    manifest, split = learnt
    curve = list(learning_curve(manifest, split))
    assert manifest.metrics is not None
    assert [rows for rows, _ in curve] == [round(share * len(split.train)) for share in SHARES]
    assert {metrics.rows for _, metrics in curve} == {len(split.test)}
    assert curve[-1][1].mae == pytest.approx(manifest.metrics.mae, rel=0.02)
    assert curve[0][1].mae > curve[-1][1].mae


def test_a_mean_of_families_is_fitted_member_by_member(learnt: tuple[Manifest, Split]) -> None:
    manifest, split = learnt
    mean = msgspec.structs.replace(
        manifest, type="ensemble", settings={"weights": {"polynomial": 1.0}, "polynomial": dict(manifest.settings)}
    )
    alone, mixed = (next(learning_curve(each, split)) for each in (manifest, mean))
    assert mixed[1].mae == pytest.approx(alone[1].mae)


def test_configurations_stay_together(learnt: tuple[Manifest, Split]) -> None:
    manifest, split = learnt
    pairs = replace(split, groups=split.groups // 10)
    rows, _ = next(learning_curve(manifest, pairs))
    assert rows == round(SHARES[0] * len(split.train))


def test_what_another_system_learnt_has_no_curve(learnt: tuple[Manifest, Split]) -> None:
    manifest, split = learnt
    with pytest.raises(Refused, match="'onnx' is none of xgboost"):
        next(learning_curve(msgspec.structs.replace(manifest, type="onnx"), split))


def test_of_few_rows_each_share_is_drawn_several_times(learnt: tuple[Manifest, Split]) -> None:
    manifest, split = learnt
    assert shares_together(split) == pytest.approx(3 * sum(SHARES[:-1]) + 1)
    assert shares_together(replace(split, kind="time")) == pytest.approx(sum(SHARES))
    single = replace(split, groups=np.arange(1000)[: len(split.groups)] * 7)
    assert next(learning_curve(manifest, single))[1].rows == len(split.test)


def test_a_network_is_fitted_with_all_its_members(
    learnt: tuple[Manifest, Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, split = learnt
    seeds: list[int] = []

    def noted(lesson: Lesson, *given: Any) -> FittedNetwork:
        seeds.append(lesson.seed)
        return fit_network(lesson, *given)

    monkeypatch.setattr("perfcast.training.families._network_fit.fit", noted)
    settings = {"width": 64, "epochs": 1, "learning_rate": 3e-3, "weight_decay": 0.1, "dropout": 0.0, "beta": 0.1}
    network = msgspec.structs.replace(manifest, type="neural_network", settings=settings)
    next(learning_curve(network, replace(split, kind="time")))
    assert len(set(seeds)) == len(seeds) == 4


def test_a_version_that_learnt_from_calibrating_rows_too_has_them_in_its_curve(learnt: tuple[Manifest, Split]) -> None:
    manifest, split = learnt
    assert not manifest.learnt_all
    rows = [rows for rows, _ in learning_curve(msgspec.structs.replace(manifest, learnt_all=True), split)]
    assert rows[-1] == len(split.train) + len(split.calibrate)
