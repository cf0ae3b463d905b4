"""Versions that start from an older one, such as another device's."""

import pickle
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from perfcast.datasets import Dataset
from perfcast.errors import Refused
from perfcast.manifest import Draft
from perfcast.sessions import Costs
from perfcast.training import Base, Budget, Training, learning_curve, train
from perfcast.workloads import workload_from_document

FAMILIES = ["xgboost", "polynomial", "ensemble"]
REFERENCE = "copying-copies:1"


def as_base(draft: Draft) -> Base:
    return Base(REFERENCE, draft.manifest, draft.graph)


def error(draft: Draft) -> float:
    assert draft.manifest.metrics is not None
    assert draft.manifest.metrics.mape is not None
    return draft.manifest.metrics.mape


@pytest.fixture(scope="module")
def base(dataset: Dataset) -> Base:
    return as_base(train(dataset, Budget(1), family_names=["xgboost"], threads=1).drafts[0])


@pytest.fixture(scope="module")
def slower(dataset: Dataset) -> Dataset:
    """A few rows of a device that takes about three times as long."""
    rows = dataset.rows.take(np.arange(240))
    return replace(dataset, name="slower", features=rows.features, cost=np.asarray(3 * rows.cost**1.1, np.float32))


@pytest.fixture(scope="module")
def begun(slower: Dataset, base: Base) -> Training:
    return train(slower, Budget(4), family_names=FAMILIES, threads=1, base=base)


def test_few_rows_suffice_for_what_a_base_leaves_over(slower: Dataset, begun: Training) -> None:
    alone, best = train(slower, Budget(2), family_names=FAMILIES, threads=1).drafts[0], begun.drafts[0]
    assert best.manifest.base == REFERENCE
    assert error(best) < 0.7 * error(alone)


def test_graph_and_native_model_agree(begun: Training, base: Base) -> None:
    for draft in begun.drafts:
        assert draft.manifest.parity is not None
        assert draft.manifest.parity.worst < 1e-4
        assert (len(draft.graph) > len(base.graph)) == (draft.manifest.base == REFERENCE)


def test_a_version_that_starts_from_one_can_be_started_from(slower: Dataset, begun: Training) -> None:
    (last,) = train(slower, Budget(1), family_names=["polynomial"], threads=1, base=as_base(begun.drafts[0])).drafts
    assert error(last) < 2 * error(begun.drafts[0])


def test_a_base_that_misleads_is_left_out(dataset: Dataset, base: Base) -> None:
    turned = replace(dataset, cost=np.random.default_rng(0).permutation(dataset.cost))
    (misleading,) = train(turned, Budget(1), family_names=["random_forest"], threads=1).drafts
    (made,) = train(dataset, Budget(2), family_names=["xgboost"], threads=1, base=as_base(misleading)).drafts
    assert made.manifest.base == ""
    assert any("didn't gain" in note for note in made.manifest.notes)
    assert len(made.graph) < 1.5 * len(base.graph)


def test_its_learning_curve_starts_from_the_base_too(begun: Training, base: Base) -> None:
    best = begun.drafts[0]
    curve = list(learning_curve(best.manifest, begun.split, base=base))
    assert curve[-1][1].mape == pytest.approx(error(best), rel=0.3)


def test_one_of_another_workload_is_refused(dataset: Dataset, base: Base) -> None:
    document = dict(dataset.workload.document())
    other = workload_from_document({**document, "name": "moving"})
    with pytest.raises(Refused, match=r"copying-copies:1 answers for 'copying', but these rows are of 'moving'"):
        train(replace(dataset, workload=other), Budget(1), base=base)
    megabytes, *rest = document["features"]
    renamed = workload_from_document({**document, "features": [{**megabytes, "unit": "MiB"}, *rest]})
    with pytest.raises(Refused, match="reads other features"):
        train(replace(dataset, workload=renamed), Budget(1), base=base)


def test_one_that_answers_with_no_number_is_refused(dataset: Dataset, base: Base) -> None:
    import onnx
    import spox
    import spox.opset.ai.onnx.v21 as op

    features = spox.argument(spox.Tensor(np.float32, ("rows", len(dataset.workload.features))))
    column = op.reduce_max(features, op.constant(value=np.array([1])), keepdims=0)
    graph: onnx.ModelProto = spox.build({"features": features}, {"cost": op.log(op.neg(column))})
    graph.ir_version = 10
    with pytest.raises(Refused, match="not a finite number"):
        train(dataset, Budget(1), base=replace(base, graph=graph.SerializeToString()))


def test_where_it_may_know_the_calibrating_rows_no_error_is_less_than_its_intervals_tell(
    dataset: Dataset, base: Base
) -> None:
    features, exact = dataset.features, Costs(dataset.cost)
    knowing = replace(base, manifest=msgspec.structs.replace(base.manifest, learnt_all=True))
    unknowing = replace(base, manifest=msgspec.structs.replace(base.manifest, learnt_all=False))
    assert (unknowing.as_unseen(exact, dataset.cost, features).cost == dataset.cost).all()
    table, answered = base.manifest.calibration, knowing.as_unseen(exact, dataset.cost, features).cost
    assert table is not None
    lower, upper = table.intervals(dataset.cost, 0.9) or (0, 0)
    assert ((lower <= answered) & (answered <= upper)).mean() == pytest.approx(0.9, abs=0.04)
    far = Costs(np.float32(10) * dataset.cost)
    assert knowing.as_unseen(far, dataset.cost, features).cost == pytest.approx(far.cost, rel=1e-4)


def test_a_base_pickles_after_use(dataset: Dataset, base: Base) -> None:
    costs = base.cost(dataset.features)
    assert (pickle.loads(pickle.dumps(base)).cost(dataset.features) == costs).all()


def test_the_manifest_is_read_back(begun: Training) -> None:
    manifest = begun.drafts[0].manifest
    assert msgspec.json.decode(manifest.to_json(), type=type(manifest)) == manifest
