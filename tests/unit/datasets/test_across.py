"""Rows of several devices as one dataset."""

import msgspec
import numpy as np
import pytest

from perfcast.datasets import Dataset, across_devices, with_figures
from perfcast.devices import load_devices
from perfcast.errors import InvalidData
from perfcast.workloads import Workload, builtin_workloads
from perfcast.workloads._declaration import FeatureDeclaration

CONVOLUTIONS = builtin_workloads()["cnn-execution-time"]
ACROSS = builtin_workloads()["convolution-across-devices"]
FIGURES = {name: load_devices()[name].features(ACROSS.feature_names, name) for name in ("t4", "v100-pcie")}


def measured(name: str, rows: int) -> Dataset:
    usual = dict.fromkeys(CONVOLUTIONS.feature_names, 1.0) | {"input_height": 8, "input_width": 8}
    features = np.tile(np.array([usual[each] for each in CONVOLUTIONS.feature_names], np.float32), (rows, 1))
    features[:, 0] = np.arange(1, rows + 1)
    return Dataset(name, CONVOLUTIONS, features, np.arange(1, rows + 1, dtype=np.float32))


def test_each_row_has_the_figures_of_its_device() -> None:
    joined = across_devices(
        "gpus", ACROSS, [(measured("one", 3), FIGURES["t4"]), (measured("two", 2), FIGURES["v100-pcie"])]
    )
    column = dict(zip(ACROSS.feature_names, joined.features.T, strict=True))
    assert column["batch_size"].tolist() == [1, 2, 3, 1, 2]
    assert column["peak_gflops"].tolist() == [8100, 8100, 8100, 14000, 14000]
    assert joined.cost.tolist() == [1, 2, 3, 1, 2]
    assert joined.workload == ACROSS
    assert joined.provenance["joined"].startswith("one@")


def test_what_neither_rows_nor_figures_tell_is_the_default() -> None:
    declared = ACROSS.declaration
    more = (
        FeatureDeclaration(name="bias", type="flag", default=0),
        FeatureDeclaration(name="twice", default="2 * batch_size"),
    )
    wider = Workload(msgspec.structs.replace(declared, features=(*declared.features, *more)))
    rows = with_figures(wider, measured("one", 3), FIGURES["t4"])
    assert rows[:, -2].tolist() == [0, 0, 0]
    assert rows[:, -1].tolist() == [2, 4, 6]


def test_a_figure_that_nobody_tells_is_refused() -> None:
    with pytest.raises(InvalidData, match="has no 'peak_gflops', and its device doesn't tell it"):
        across_devices("gpus", ACROSS, [(measured("one", 3), {})])


def test_rows_of_another_cost_are_refused() -> None:
    cost = msgspec.structs.replace(CONVOLUTIONS.declaration.cost, unit="s")  # type: ignore[type-var]
    other = Workload(msgspec.structs.replace(CONVOLUTIONS.declaration, cost=cost))
    rows = measured("one", 2)
    with pytest.raises(InvalidData, match="dataset 'one' measures execution_time_ms in s, not execution_time_ms in ms"):
        across_devices("gpus", ACROSS, [(Dataset("one", other, rows.features, rows.cost), FIGURES["t4"])])


def test_a_layer_stands_in_the_same_part_on_every_device() -> None:
    joined = across_devices(
        "gpus", ACROSS, [(measured("one", 200), FIGURES["t4"]), (measured("two", 200), FIGURES["v100-pcie"])]
    )
    split = joined.split()
    parts = [set(part.features[:, 0].tolist()) for part in (split.train, split.calibrate, split.test)]
    assert sum(map(len, parts)) == 200
    assert all(len(part) > 20 for part in parts)
    assert len(set(split.groups.tolist())) == len(parts[0])
