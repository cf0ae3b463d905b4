"""Presets: rows with names that stand in a workload's file, and are no part of what it declares."""

import csv
import pickle
from pathlib import Path

import numpy as np
import pytest

from perfcast.datasets import Dataset, from_parquet, to_parquet
from perfcast.errors import InvalidDeclaration
from perfcast.workloads import (
    RowReader,
    Workload,
    builtin_workloads,
    differences,
    load_workload,
    load_workloads,
    same_rows,
    survey_workloads,
)

SHOP = """
name: shop
cost: {name: cpu, unit: percent}
features:
  - {name: rate, minimum: 0, maximum: 100}
  - {name: zone, type: choice, values: [east, west], default: west}
  - {name: pods, type: integer, minimum: 1, default: 2 * 1}
  - {name: hour_sin, clock: true, minimum: -1, maximum: 1}
"""
NOON = "presets: [{name: noon, title: Noon, features: {rate: 7, zone: east, timestamp: 2026-03-03T06:10}}]"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "shop.yaml"


def loaded(path: Path, text: str) -> Workload:
    path.write_text(text)
    return load_workload(path)


def test_a_preset_is_a_whole_row_with_defaults_filled_in_as_requests_may_give_it(written: Path) -> None:
    workload = loaded(written, SHOP + NOON)
    (preset,) = workload.presets
    assert (preset.name, preset.title, preset.group) == ("noon", "Noon", "")
    assert preset.features == {"rate": 7.0, "zone": "east", "pods": 2, "timestamp": "2026-03-03T06:10"}
    assert RowReader(workload).read(preset.features) == [7.0, 0.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("{name: a, title: A, features: {rate: 1, hour_sin: 0}}", r"presets\[1\] 'a': another preset has this name"),
        ("{name: b, title: B, features: {rate: 700, hour_sin: 0}}", r"presets\[1\] 'b': rate: must be .*got 700"),
        ("{name: b, title: B, features: {rte: 7, hour_sin: 0}}", r"presets\[1\] 'b': rte: .*did you mean 'rate'"),
        ("{name: b, title: B, features: {rate: 7, zone: up, hour_sin: 0}}", r"'b': zone: expected one of .*got 'up'"),
        ("{name: b, features: {rate: 7, hour_sin: 0}}", r"presets\[1\]: .*title"),
        ("{name: B C, title: B, features: {rate: 7, hour_sin: 0}}", r"presets\[1\]\.name: "),
        ("{name: b, title: B, feature: {rate: 7}}", r"presets\[1\]: .*feature"),
    ],
)
def test_a_preset_that_is_no_row_is_an_error_that_names_file_and_place(written: Path, wrong: str, told: str) -> None:
    right = "{name: a, title: A, features: {rate: 1, hour_sin: 0}}"
    with pytest.raises(InvalidDeclaration, match=r"shop\.yaml: .*" + told):
        loaded(written, f"{SHOP}presets: [{right}, {wrong}]")
    assert list(survey_workloads(written.parent).problems) == [str(written)]


def test_a_changed_preset_changes_nothing_that_a_version_says_of_its_workload(written: Path) -> None:
    plain, named = loaded(written, SHOP), loaded(written, SHOP + NOON)
    assert named.presets
    assert (plain, hash(plain), plain.document()) == (named, hash(named), named.document())
    assert not differences(plain, named)
    assert same_rows(plain, named)


def test_rows_have_the_same_digest_with_and_without_presets_and_come_back(written: Path) -> None:
    rows, cost = np.array([[1, 0, 1, 0], [2, 1, 1, 0.5]], dtype=np.float32), np.ones(2, dtype=np.float32)
    datasets = [Dataset("d", loaded(written, text), rows, cost) for text in (SHOP, SHOP + NOON)]
    assert datasets[0].digest == datasets[1].digest == from_parquet(to_parquet(datasets[1])).digest


def test_presets_travel_with_a_workload_to_other_processes(written: Path) -> None:
    workload = loaded(written, SHOP + NOON)
    assert pickle.loads(pickle.dumps(workload)).presets == workload.presets


def test_an_extension_has_the_presets_of_its_base_that_fit_it_with_its_own_defaults(tmp_path: Path) -> None:
    extra = "{name: busy, title: Busy, features: {rate: 90, hour_sin: 0}}"
    (tmp_path / "shop.yaml").write_text(f"{SHOP}{NOON[:-1]}, {extra}]")
    (tmp_path / "wide.yaml").write_text(
        "{name: wide, extends: shop, features: [{name: nodes, default: 3}, {name: rate, minimum: 0, maximum: 50}],"
        " presets: [{name: own, title: Own, features: {rate: 1, hour_sin: 0, nodes: 4}}]}"
    )
    (tmp_path / "strict.yaml").write_text("{name: strict, extends: shop, features: [{name: nodes}]}")
    workloads = load_workloads(tmp_path)
    assert [preset.name for preset in workloads["shop"].presets] == ["noon", "busy"]
    assert {preset.name: preset.features["nodes"] for preset in workloads["wide"].presets} == {"noon": 3.0, "own": 4.0}
    assert workloads["strict"].presets == ()  # whose rows all need `nodes`


def test_the_built_in_convolutions_are_layers_that_the_profiler_measures() -> None:
    columns = ("input_channels", "input_height", "output_channels", "kernel_size", "stride", "padding", "groups")
    columns += ("kernel_width", "stride_width", "padding_width", "padding_bottom", "padding_right")
    file = Path(__file__).parents[3] / "src/perfcast/workloads/cnn_execution_time/profiler/networks.csv"
    names = [column.replace("height", "size") for column in columns]
    measured = {tuple(int(row[name]) for name in names) for row in csv.DictReader(file.open())}
    presets = builtin_workloads()["cnn-execution-time"].presets
    assert len(presets) >= 30
    assert [preset.name for preset in presets if tuple(preset.features[c] for c in columns) not in measured] == []
    assert all(preset.group and preset.features["batch_size"] == 1 for preset in presets)


def test_the_built_in_loads_rise_from_the_night_to_the_flash_sale() -> None:
    workload = builtin_workloads()["cpu-utilization"]
    read = {preset.name: RowReader(workload).read(preset.features) for preset in workload.presets}
    presets = {name: dict(zip(workload.feature_names, row, strict=True)) for name, row in read.items()}
    days = ("quiet-night", "early-morning", "morning", "noon-peak", "campaign", "flash-sale")
    rates = [float(presets[name]["request_rate"]) for name in days]
    assert rates == sorted(rates)
    assert [presets[name]["is_business_hour"] for name in ("quiet-night", "morning", "weekend")] == [0, 1, 0]
