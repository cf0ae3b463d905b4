"""A training run that starts from another model's version."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.workers import Shop, small_dataset

from perfcast.datasets import Dataset
from perfcast.errors import UnknownModel
from perfcast.jobs import Effort, run_training
from perfcast.settings import load_settings

QUICK = Effort(n_trials=1, families=("polynomial",))


def half_as_busy() -> Dataset:
    rows = small_dataset(300, name="busy")
    return replace(rows, cost=rows.cost / 2)


def test_a_run_starts_from_the_version_that_the_effort_names(tmp_path: Path) -> None:
    shop = Shop(load_settings(data_dir=tmp_path))
    run_training(shop.registry, small_dataset(), "cpu-utilization", QUICK)
    begun = Effort(n_trials=1, families=("xgboost",), base="cpu-utilization")
    (version,) = run_training(shop.registry, half_as_busy(), "busy", begun).versions
    assert version.manifest.base == "cpu-utilization:1"
    with pytest.raises(UnknownModel, match="unknown model 'nowhere'"):
        run_training(shop.registry, half_as_busy(), "busy", Effort(base="nowhere"))
    shop.close()
