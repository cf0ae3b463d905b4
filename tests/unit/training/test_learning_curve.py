"""What more rows would bring."""

from dataclasses import replace

import msgspec
import pytest
from tests.workers import small_dataset

from perfcast.datasets import Split
from perfcast.errors import Refused
from perfcast.manifest import Manifest
from perfcast.training import SHARES, Budget, learning_curve, train


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
