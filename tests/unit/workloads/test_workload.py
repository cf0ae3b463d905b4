from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.errors import InvalidDeclaration, InvalidInput, UnknownWorkload
from perfcast.workloads import (
    RowReader,
    Workload,
    builtin_workloads,
    check_table,
    clock_columns,
    find_workload,
    load_workload,
    load_workloads,
    workload_from_document,
)

CONVOLUTION = {
    "batch_size": 32,
    "input_channels": 3,
    "input_height": 224,
    "input_width": 224,
    "output_channels": 64,
    "kernel_size": 3,
    "stride": 1,
}
SERVICE = {
    "request_rate": 120,
    "active_users": 60,
    "db_connections": 25,
    "hour_sin": 0.5,
    "hour_cos": 0.866,
    "minute_sin": 0.2588,
    "minute_cos": 0.9659,
    "is_business_hour": 1,
}


@pytest.fixture
def convolution() -> Workload:
    return builtin_workloads()["cnn-execution-time"]


@pytest.fixture
def service() -> Workload:
    return builtin_workloads()["cpu-utilization"]


def wrong(workload: Workload, features: Mapping[str, object]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        RowReader(workload).read(features)
    return {error.field: error.message for error in caught.value.fields}


def test_the_readme_rows_of_both_predecessors_are_read(convolution: Workload, service: Workload) -> None:
    assert RowReader(convolution).read(CONVOLUTION) == [32, 3, 224, 224, 64, 3, 1, 1, 1, 1, 3, 1, 1, 1, 1]
    assert RowReader(service).read(SERVICE) == list(SERVICE.values())


def test_padding_defaults_to_what_keeps_the_size_of_odd_kernels(convolution: Workload) -> None:
    for kernel, padding in ((1, 0), (2, 0), (3, 1), (5, 2), (7, 3)):
        row = RowReader(convolution).read(CONVOLUTION | {"kernel_size": kernel})
        assert row[convolution.feature_names.index("padding")] == padding


@pytest.mark.parametrize(
    ("change", "field", "part"),
    [
        ({"batch_size": -1}, "batch_size", "between 1 and 4096"),
        ({"batch_size": 4097}, "batch_size", "between 1 and 4096"),
        ({"batch_size": "32"}, "batch_size", "whole number"),
        ({"batch_size": 2.5}, "batch_size", "whole number"),
        ({"batch_size": True}, "batch_size", "whole number"),
        ({"batch_size": None}, "batch_size", "required"),
        ({"batch_size": float("nan")}, "batch_size", "finite"),
        ({"batch_size": float("inf")}, "batch_size", "finite"),
        ({"batch_size": [1]}, "batch_size", "whole number"),
        ({"stride": 33}, "stride", "between 1 and 32"),
        ({"kernel_size": 64, "padding": 0, "input_height": 63}, "kernel_size", "higher than the padded input"),
        ({"kernel_size": 3, "padding": 0, "dilation": 60, "input_width": 100}, "kernel_size", "wider than the padded"),
        ({"groups": 2}, "groups", "divide input_channels"),
        ({"groups": 3}, "groups", "divide output_channels"),
        ({"paddings": 1}, "paddings", "did you mean 'padding'"),
    ],
)
def test_a_wrong_value_is_refused_naming_the_field(
    convolution: Workload, change: dict[str, object], field: str, part: str
) -> None:
    assert part in wrong(convolution, CONVOLUTION | change)[field]


def test_every_wrong_field_is_named_at_once(convolution: Workload) -> None:
    assert set(wrong(convolution, {"batch_size": 0, "kernel_size": "x"})) == {
        "batch_size",
        "kernel_size",
        "input_channels",
        "input_height",
        "input_width",
        "output_channels",
    }


def test_a_timestamp_stands_for_the_time_features_in_the_services_zone(service: Workload) -> None:
    loads = {"request_rate": 1, "active_users": 2, "db_connections": 3}
    moment = "2026-03-02T08:30:00Z"
    utc = RowReader(service).read(loads | {"timestamp": moment})
    berlin = RowReader(service, ZoneInfo("Europe/Berlin")).read(loads | {"timestamp": moment})
    assert utc[-1] == 0
    assert berlin[-1] == 1
    for unreadable in ("noon", "0001-01-01T00:00:00+14:00", 5):
        assert "ISO 8601" in wrong(service, loads | {"timestamp": unreadable})["timestamp"]


@given(st.datetimes(datetime(2001, 1, 1), datetime(2037, 1, 1)))  # noqa: DTZ001
def test_a_column_and_a_request_agree_on_what_the_clock_says(moment: datetime) -> None:
    workload = builtin_workloads()["cpu-utilization"]
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    loads = {"request_rate": 1, "active_users": 2, "db_connections": 3}
    row = RowReader(workload, ZoneInfo("Europe/Berlin")).read(loads | {"timestamp": moment.isoformat()})
    names = workload.feature_names[3:]
    at = np.array([moment.replace(tzinfo=None)], dtype="datetime64[us]")
    columns = clock_columns(at, names, ZoneInfo("Europe/Berlin"))
    assert row[3:] == [columns[name][0] for name in names]


def test_business_hours_begin_at_nine_and_end_before_five() -> None:
    at = np.array(["2025-01-10T08:59:59", "2025-01-10T09:00", "2025-01-10T16:59", "2025-01-10T17:00"], "datetime64[us]")
    assert clock_columns(at, ["is_business_hour"], UTC)["is_business_hour"].tolist() == [0.0, 1.0, 1.0, 0.0]


def test_derived_quantities_of_a_convolution_are_those_of_its_definition(convolution: Workload) -> None:
    row = RowReader(convolution).read(CONVOLUTION | {"stride": 2, "kernel_size": 7})
    inputs = dict(zip(convolution.input_names, convolution.inputs(np.array([row], dtype=np.float32))[0], strict=True))
    assert inputs["output_height"] == inputs["output_width"] == 112
    assert inputs["gigaflops"] == pytest.approx(2 * 32 * 112 * 112 * 64 * 7 * 7 * 3 / 1e9, rel=1e-6)
    assert inputs["weight_megabytes"] == pytest.approx(64 * 3 * 49 * 4 / 1e6, rel=1e-6)
    assert inputs["winograd"] == 0


@pytest.mark.parametrize(
    "name", ["cpu-utilization", "cnn-execution-time", "operator-execution-time", "convolution-across-devices"]
)
def test_a_rising_derived_quantity_never_falls_with_a_rising_feature(name: str) -> None:
    workload = builtin_workloads()[name]
    random = np.random.default_rng(0)
    low = np.array([feature.minimum for feature in workload.features])
    high = np.array([min(feature.maximum, 1000.0) for feature in workload.features])
    rows = np.floor(low + random.random((500, len(low))) * (high - low)).astype(np.float32)
    before = workload.inputs(rows)
    for place, trend in enumerate(workload.trends[: len(workload.features)]):
        if not trend:
            continue
        raised = rows.copy()
        raised[:, place] += 10
        after = workload.inputs(raised)
        for column, derived_trend in enumerate(workload.trends):
            change = after[:, column] - before[:, column]
            if np.any(change != 0):
                assert derived_trend == trend, f"{workload.input_names[column]} changes but declares no trend"
                assert np.all(change * trend >= 0)


def test_a_table_is_checked_row_by_row(convolution: Workload) -> None:
    good = RowReader(convolution).read(CONVOLUTION)
    table = np.array([good, good, good, good], dtype=np.float32)
    table[1, 0], table[2, 5], table[3, 1] = -1, 900, np.nan
    found = {refusal.field: refusal.rows.tolist() for refusal in check_table(convolution, table)}
    assert found == {"batch_size": [1], "kernel_size": [2], "input_channels": [3]}


def test_a_relative_cost_must_be_above_zero(convolution: Workload) -> None:
    table = np.array([RowReader(convolution).read(CONVOLUTION)] * 3, dtype=np.float32)
    (refusal,) = check_table(convolution, table, np.array([1.0, 0.0, 2.0], dtype=np.float32))
    assert (refusal.field, refusal.rows.tolist()) == ("execution_time_ms", [1])


def test_a_manifest_document_gives_the_same_workload_back(convolution: Workload) -> None:
    assert workload_from_document(convolution.document()) == convolution


MINE = """
name: gpu-convolution
extends: cnn-execution-time
features:
  - {name: bias, type: flag, default: 0}
  - {name: activation, type: choice, values: [none, relu, tanh], default: relu}
derived:
  - {name: biased_outputs, expression: bias * output_pixels}
"""


def test_a_users_workload_extends_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    workload = load_workloads(tmp_path)["gpu-convolution"]
    row = RowReader(workload).read(CONVOLUTION | {"activation": "tanh"})
    assert row[-2:] == [0, 2]
    inputs = dict(zip(workload.input_names, workload.inputs(np.array([row], dtype=np.float32))[0], strict=True))
    assert [inputs[f"activation_is_{code}"] for code in range(3)] == [0, 0, 1]
    assert "expected one of none, relu, tanh" in wrong(workload, CONVOLUTION | {"activation": "selu"})["activation"]


def test_files_may_extend_each_other_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("{name: third, extends: gpu-convolution}")
    (tmp_path / "b.yaml").write_text(MINE)
    assert {"third", "gpu-convolution"} <= load_workloads(tmp_path).keys()
    (tmp_path / "b.yaml").write_text(MINE.replace("cnn-execution-time", "third"))
    with pytest.raises(InvalidDeclaration, match="circle"):
        load_workloads(tmp_path)


def test_yaml_is_read_as_version_1_2_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "switch.yaml"
    path.write_text(
        "{name: switch, cost: {name: y, maximum: 1e6}, features: [{name: state, type: choice, values: [on, off]},"
        " {name: lit, type: flag, default: false}, {name: node, type: choice, values: [010, 9]}]}"
    )
    workload = load_workload(path)
    assert workload.cost.maximum == 1e6
    assert RowReader(workload).read({"state": "off", "node": 10}) == [1, 0, 0]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{name: x, cost: {name: y, relative: yes}, features: [{name: a}]}", "cost.relative: expected true or false"),
        ("{name: x, cost: {name: y, maximum: much}}", "cost.maximum: expected a number or nothing, got text"),
        ("{name: x, cost: {name: y}, features: [{name: a, type: choice, values: [true, false]}]}", "must be quoted"),
        ("name: x", "declares no cost"),
        ("{name: x, cost: {name: y}}", "no features"),
        ("{name: x, cost: {name: y}, features: [{name: a}, {name: a}]}", "declared twice"),
        ("{name: x, cost: {name: a}, features: [{name: a}]}", "declared twice"),
        ("{name: x, cost: {name: y}, features: [{name: a, default: b + 1}]}", "not declared before"),
        ("{name: x, cost: {name: y}, features: [{name: a}], derived: [{name: d, expression: a ** 2}]}", "not known"),
        ("{name: x, cost: {name: y}, features: [{name: a}], derived: [{name: d, expression: 1 + 1}]}", "no feature"),
        ("{name: x, cost: {name: y}, features: [{name: a, type: choice}]}", "has values"),
        ("{name: x, cost: {name: y}, features: [{name: a, minimum: 3, maximum: 2}]}", "above its maximum"),
        ("{name: x, cost: {name: y}, features: [{name: a, clock: true}]}", "clock feature"),
        ("{name: x, cost: {name: y, minimum: 1, maximum: 1}, features: [{name: a}]}", "below its maximum"),
        ("{name: x, cost: {name: y, relative: true}, features: [{name: a}]}", "minimum of 0"),
        ("{name: x, cost: {name: y}, features: [{name: a, typ: number}]}", "typ"),
        ("{name: x, cost: {name: y}, features: [{name: A}]}", "features[0].name"),
        ("{name: x, extends: nothing}", "unknown workload 'nothing'"),
        ("name: [", "YAML"),
        ("{name: x, cost: {name: y}, features: [{name: a}], rules: [{check: a, field: a, message: m}]}", "compare two"),
    ],
)
def test_a_wrong_declaration_is_refused_saying_where(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(InvalidDeclaration) as caught:
        load_workload(path)
    assert part.lower() in str(caught.value).lower()
    assert "wrong.yaml" in str(caught.value)


def test_an_unknown_workload_names_the_closest() -> None:
    with pytest.raises(UnknownWorkload, match="cpu-utilization"):
        find_workload("cpu-utilisation", builtin_workloads())
