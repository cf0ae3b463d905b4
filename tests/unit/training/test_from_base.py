"""Versions that start from an older one, such as another device's."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from perfcast.datasets import Dataset
from perfcast.errors import Refused
from perfcast.export import run
from perfcast.manifest import Draft
from perfcast.training import Base, Budget, train
from perfcast.workloads import workload_from_document


@pytest.fixture(scope="module")
def base(dataset: Dataset) -> Base:
    return _base(train(dataset, Budget(1), family_names=["xgboost"], threads=1).drafts[0])


@pytest.fixture(scope="module")
def slower(dataset: Dataset) -> Dataset:
    """A few rows of a device on which everything takes about three times as long, media alike."""
    rows = dataset.rows.take(np.arange(240))
    return replace(dataset, name="slower", features=rows.features, cost=np.asarray(rows.cost**1.1 * 3, np.float32))


def _base(draft: Draft) -> Base:
    return Base("copying-copies:1", draft.manifest, draft.graph)


def test_few_rows_suffice_for_what_a_base_leaves_over(slower: Dataset, base: Base) -> None:
    names = ["xgboost", "ensemble", "neural_network"]
    alone = train(slower, Budget(4), family_names=names, threads=1).drafts[0]
    begun = train(slower, Budget(4), family_names=names, threads=1, base=base)
    best = begun.drafts[0]
    assert best.manifest.base == "copying-copies:1"
    assert best.manifest.metrics is not None
    assert alone.manifest.metrics is not None
    assert best.manifest.metrics.mape < 0.7 * alone.manifest.metrics.mape
    for draft in begun.drafts:
        assert draft.manifest.parity is not None
        assert draft.manifest.parity.worst < 1e-4
        assert np.isfinite(run(draft.graph, slower.features)).all()
    assert "copying-copies:1" not in "".join(best.manifest.notes)


def test_a_base_that_is_of_no_use_is_left_out(dataset: Dataset, base: Base) -> None:
    random = np.random.default_rng(0)
    other = replace(base.manifest, workload=base.manifest.workload)
    assert other is not None
    cost = np.exp(random.normal(size=len(dataset))).astype(np.float32)
    misleading = train(replace(dataset, cost=cost), Budget(1), family_names=["random_forest"], threads=1).drafts[0]
    made = train(dataset, Budget(2), family_names=["xgboost"], threads=1, base=_base(misleading)).drafts[0]
    assert made.manifest.base == ""
