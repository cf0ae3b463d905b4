"""What is learnt doesn't depend on the unit of the cost, however small or large that makes its numbers."""

import msgspec
import numpy as np
import pytest

from perfcast.datasets import Dataset
from perfcast.manifest import Metrics
from perfcast.training import Trained, draft
from perfcast.training._ensemble import FittedEnsemble
from perfcast.training._path import Path
from perfcast.training.families import families
from perfcast.training.fits import inner_validation
from perfcast.workloads import Workload

MAGNITUDES = (1e-12, 1.0, 1e15)


def metrics_of_each_family(dataset: Dataset) -> dict[str, Metrics]:
    """Every family's start and their mean as versions; a draft that differs from its graph would be refused."""
    split, workload = dataset.split(), dataset.workload
    inner = inner_validation(split, workload, seed=0, threads=1)
    target, lesson = inner.target, inner.lesson_of("training")
    quick = {"epochs": 6, "rounds": 60, "trees": 4, "terms": 100}
    fits = {name: family.fit(lesson, {**family.start(lesson), **quick}) for name, family in families().items()}
    models = {name: Trained(Path(workload), name, fitted, target) for name, fitted in fits.items()}
    mean = FittedEnsemble(tuple(fits.values()), dict.fromkeys(fits, 1 / len(fits)))
    models["ensemble"] = Trained(Path(workload), "ensemble", mean, target)
    drafts = {name: draft(workload, dataset, split, model) for name, model in models.items()}
    return {name: made.manifest.metrics for name, made in drafts.items() if made.manifest.metrics is not None}


@pytest.mark.parametrize("relative", [True, False])
def test_every_family_and_the_mean_learn_costs_of_every_magnitude(
    dataset: Dataset, workload: Workload, *, relative: bool
) -> None:
    declared = msgspec.structs.replace(workload.declaration.cost, relative=relative)
    kind = Workload(msgspec.structs.replace(workload.declaration, cost=declared))
    found = {}
    for magnitude in MAGNITUDES:
        rows = slice(0, 400)
        cost = dataset.cost[rows] if relative else np.log(dataset.cost[rows] + 1)
        found[magnitude] = metrics_of_each_family(
            Dataset("scaled", kind, dataset.features[rows], (magnitude * cost.astype(np.float64)).astype(np.float32))
        )
    for name, usual in found[1.0].items():
        assert usual.r2 > 0.5, name
        for magnitude in MAGNITUDES:
            assert found[magnitude][name].mae / magnitude == pytest.approx(usual.mae, rel=0.2), (name, magnitude)
