"""A version for a device of which few rows are measured."""

from dataclasses import replace

import numpy as np
import pytest

from perfcast.datasets import Dataset
from perfcast.errors import InvalidData, Refused
from perfcast.export import run
from perfcast.training import Base, Budget, adapt, choose_rows, train
from perfcast.workloads import Rows


@pytest.fixture(scope="module")
def base(dataset: Dataset) -> Base:
    made = train(dataset, Budget(1), family_names=["polynomial"], threads=1).drafts[0]
    return Base("copying-copies:1", made.manifest, made.graph)


def slower(dataset: Dataset, rows: int, *, noise: float = 0.03) -> Dataset:
    """Rows of a device that takes about two and a half times as long, the more so the longer."""
    random = np.random.default_rng(rows)
    part = dataset.rows.take(random.permutation(len(dataset.cost))[:rows])
    cost = 2.5 * part.cost**1.1 * np.exp(random.normal(0, noise, rows))
    return replace(dataset, name="slower", features=part.features, cost=np.asarray(cost, np.float32), measured_at=None)


def mape(graph: bytes, rows: Dataset) -> float:
    return float(100 * np.abs(run(graph, rows.features) / rows.cost - 1).mean())


@pytest.fixture
def usual(dataset: Dataset) -> Rows:
    return dataset.features[-400:]


def test_the_error_falls_with_the_rows(dataset: Dataset, base: Base, usual: Rows) -> None:
    asked = slower(dataset, 800)
    errors = [
        mape(base.graph, asked),
        *(mape(adapt(base, slower(dataset, n), usual).draft.graph, asked) for n in (8, 60)),
    ]
    assert errors[0] > 3 * errors[1]
    assert errors[1] > 1.1 * errors[2]


def test_what_it_says_of_its_error_is_true_of_rows_it_hasnt_seen(dataset: Dataset, base: Base, usual: Rows) -> None:
    asked, adapted = slower(dataset, 800), adapt(base, slower(dataset, 60), usual)
    manifest = adapted.draft.manifest
    assert manifest.metrics is not None
    assert manifest.metrics.mape == pytest.approx(adapted.after)
    assert adapted.after == pytest.approx(mape(adapted.draft.graph, asked), rel=0.5)
    assert adapted.before > 2 * adapted.after
    assert manifest.calibration is not None
    answers = run(adapted.draft.graph, asked.features).astype(np.float64)
    bounds = manifest.calibration.intervals(answers, 0.9)
    assert bounds is not None
    assert ((bounds[0] <= asked.cost) & (asked.cost <= bounds[1])).mean() > 0.8


def test_the_version_tells_what_it_is_made_of(dataset: Dataset, base: Base, usual: Rows) -> None:
    manifest = adapt(base, slower(dataset, 12), usual).draft.manifest
    assert (manifest.type, manifest.base) == ("calibrated", "copying-copies:1")
    assert manifest.data is not None
    assert manifest.data.rows == 12
    assert manifest.parity is not None
    assert manifest.parity.worst < 1e-4
    assert set(manifest.ranges) == set(dataset.workload.feature_names)


def test_a_device_like_the_bases_own_is_left_as_it_is(dataset: Dataset, base: Base, usual: Rows) -> None:
    part = dataset.rows.take(np.arange(30))
    same = replace(dataset, features=part.features, cost=part.cost, measured_at=None)
    adapted = adapt(base, same, usual)
    assert adapted.after < 1.2 * adapted.before


@pytest.mark.parametrize("rows", [4, 501])
def test_too_few_rows_and_too_many_are_refused(dataset: Dataset, base: Base, usual: Rows, rows: int) -> None:
    with pytest.raises(InvalidData, match=f"{rows} rows to adapt by; expected 5 to 500"):
        adapt(base, slower(dataset, rows), usual)


def test_a_base_of_another_workload_is_refused(dataset: Dataset, base: Base, usual: Rows) -> None:
    manifest = base.manifest
    other = Base(base.reference, replace_name(manifest), base.graph)
    with pytest.raises(Refused, match="answers for 'other'"):
        adapt(other, slower(dataset, 30), usual)


def replace_name(manifest: object) -> object:
    import msgspec

    return msgspec.structs.replace(manifest, workload={**manifest.workload, "name": "other"})  # type: ignore[attr-defined,type-var]


def test_chosen_rows_are_distinct_and_stand_for_all() -> None:
    random = np.random.default_rng(0)
    crowds = np.concatenate(
        [np.exp(random.normal(center, 0.05, (count, 2))) for center, count in ((0, 300), (3, 100), (6, 20))]
    )
    chosen = choose_rows(crowds.astype(np.float32), 3)
    assert sorted(np.searchsorted([300, 400], chosen, side="right").tolist()) == [0, 1, 2]
    assert chosen[0] < 300  # the largest crowd first
    assert len(set(choose_rows(crowds.astype(np.float32), 40).tolist())) == 40
