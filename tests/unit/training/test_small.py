"""Few rows, or rows with nothing in them to learn: no worse than a line and a constant."""

import numpy as np
import pytest

from perfcast.datasets import Dataset
from perfcast.errors import InvalidData
from perfcast.export import run
from perfcast.training import Budget, Training, train
from perfcast.workloads import Workload, workload_from_document

QUICK = ("polynomial", "random_forest", "xgboost", "ensemble")


def made(rows: int, *, slope: float, noise: float, seed: int = 0) -> Dataset:
    random = np.random.default_rng(seed)
    features = random.uniform(1, 10, (rows, 2)).astype(np.float32)
    cost = 100 + slope * features[:, 0] + noise * random.standard_normal(rows)
    return Dataset("made", workload(), features, cost.astype(np.float32))


def workload() -> Workload:
    return workload_from_document(
        {
            "name": "made",
            "cost": {"name": "cost", "unit": "s", "minimum": 0},
            "features": [{"name": "x", "minimum": 0}, {"name": "y", "minimum": 0}],
        }
    )


def error(training: Training, slope: float) -> float:
    fresh = made(2000, slope=slope, noise=0.0, seed=1)
    return float(np.abs(run(training.drafts[0].graph, fresh.features) - fresh.cost).mean())


def test_of_mere_noise_a_constant_is_learnt() -> None:
    training = train(made(120, slope=0, noise=5), Budget(9), family_names=QUICK, threads=1)
    assert training.drafts[0].manifest.type == "polynomial"
    assert error(training, 0) < 1


def test_of_a_line_a_line_is_learnt() -> None:
    training = train(made(120, slope=5, noise=2), Budget(9), family_names=QUICK, threads=1)
    assert training.drafts[0].manifest.type == "polynomial"
    assert training.drafts[0].manifest.settings["degree"] == 1
    assert error(training, 5) < 0.7


def test_what_is_clearly_better_than_a_line_comes_first() -> None:
    line = made(300, slope=0, noise=0.1)
    bent = Dataset("bent", line.workload, line.features, line.cost + 10 * (line.features[:, 0] > 5))
    training = train(bent, Budget(9), family_names=QUICK, threads=1)
    assert training.drafts[0].manifest.settings.get("degree") != 1
    assert training.drafts[0].manifest.search["score"] < 1


def test_costs_that_are_all_the_same_are_answered_exactly() -> None:
    training = train(made(120, slope=0, noise=0), Budget(9), family_names=QUICK, threads=1)
    assert error(training, 0) < 1e-4


def test_with_fewer_trials_than_starts_no_plain_settings_are_tried() -> None:
    training = train(made(120, slope=5, noise=2), Budget(1), family_names=["polynomial"], threads=1)
    assert training.drafts[0].manifest.settings["degree"] == 3


def test_too_few_rows_are_refused_with_how_many_it_takes() -> None:
    with pytest.raises(InvalidData, match="give about 90 distinct configurations or more"):
        train(made(30, slope=1, noise=1), Budget(1), threads=1)
