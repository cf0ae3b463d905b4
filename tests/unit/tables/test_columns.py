"""Columns become rows for the model, or every wrong field is named with its rows."""

from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from perfcast.errors import InvalidInput
from perfcast.tables import ColumnReader
from perfcast.workloads import RowReader, Workload, load_workload

MANY = 40_000
"""More than two blocks."""


def convolutions(count: int) -> dict[str, Any]:
    draw = np.random.default_rng(1)
    return {
        "batch_size": draw.integers(1, 64, count),
        "input_channels": draw.integers(1, 512, count),
        "input_height": draw.integers(7, 224, count),
        "input_width": draw.integers(7, 224, count),
        "output_channels": draw.integers(1, 512, count),
        "kernel_size": 2 * draw.integers(0, 3, count) + 1,
    }


def wrong(reader: ColumnReader, columns: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        reader.read(columns)
    return {field.field: field.message for field in caught.value.fields}


def test_rows_are_what_reading_them_singly_gives(cnn: Workload) -> None:
    columns = convolutions(MANY)
    rows = ColumnReader(cnn, UTC).read(columns)
    assert rows.dtype == np.float32
    single = RowReader(cnn)
    for row in (0, 1, 16_383, 16_384, MANY - 1):
        assert rows[row].tolist() == single.read({name: int(values[row]) for name, values in columns.items()})


def test_missing_values_of_optional_features_take_their_defaults(cnn: Workload) -> None:
    columns = convolutions(3) | {"stride": np.array([2, None, 4], dtype=object), "padding": np.array([0, np.nan, 1])}
    rows = ColumnReader(cnn, UTC).read(columns)
    assert rows[:, cnn.feature_names.index("stride")].tolist() == [2, 1, 4]
    assert rows[1, cnn.feature_names.index("padding")] == (columns["kernel_size"][1] - 1) // 2


def test_wrong_values_are_named_with_how_many_rows_and_the_first(cnn: Workload) -> None:
    columns = convolutions(MANY)
    columns["batch_size"][[3, 17_000, 39_999]] = 0
    columns["input_height"] = columns["input_height"].astype(float)
    columns["input_height"][:7] = np.nan
    found = wrong(ColumnReader(cnn, UTC), columns)
    assert found["batch_size"] == "must be between 1 and 4096, got 0 (3 rows: 3, 17000, 39999, counted from 0)"
    assert found["input_height"] == "is missing or not a finite number (7 rows: 0, 1, 2, 3, 4, …, counted from 0)"


def test_text_in_the_place_of_a_number_is_named_once(cnn: Workload) -> None:
    columns = convolutions(2) | {"stride": np.array([1, "2"], dtype=object)}
    assert wrong(ColumnReader(cnn, UTC), columns) == {
        "stride": "expected a whole number, got '2' (row 1, counted from 0)"
    }


def test_broken_rules_are_named(cnn: Workload) -> None:
    columns = convolutions(2) | {"groups": np.array([1, 600])}
    assert wrong(ColumnReader(cnn, UTC), columns)["groups"] == "must divide output_channels (row 1, counted from 0)"


def test_a_wrong_value_is_named_once_and_not_again_by_defaults_that_follow_from_it(cnn: Workload) -> None:
    columns = convolutions(3) | {"kernel_size": np.array([3, 90, np.nan])}
    assert list(wrong(ColumnReader(cnn, UTC), columns)) == ["kernel_size"]
    columns |= {"kernel_size": np.array([3, 90, 3]), "kernel_width": np.array([3, 91, 92])}
    assert list(wrong(ColumnReader(cnn, UTC), columns)) == ["kernel_size", "kernel_width"]


def test_unknown_and_missing_columns_are_named(cnn: Workload) -> None:
    columns = convolutions(1)
    columns["kernel_sise"] = columns.pop("kernel_size")
    assert wrong(ColumnReader(cnn, UTC), columns) == {
        "kernel_sise": "is not a feature of cnn-execution-time; did you mean 'kernel_size'?",
        "kernel_size": "is required",
    }


def test_columns_of_different_lengths_are_named(cnn: Workload) -> None:
    columns = convolutions(3)
    columns["kernel_size"] = columns["kernel_size"][:2]
    assert wrong(ColumnReader(cnn, UTC), columns) == {"kernel_size": "has 2 values, others 3"}


@pytest.mark.parametrize(
    "times",
    [
        np.array(["2026-07-03T14:05:59Z", "2026-01-01T00:00:00+01:00"], dtype=object),
        np.array(["2026-07-03T14:05:59", "2025-12-31T23:00:00"], dtype="datetime64[s]"),
        np.array([1783087559.0, 1767222000.0]),
    ],
    ids=["text", "times", "seconds"],
)
def test_a_time_stands_for_the_clock_features(cpu: Workload, times: Any) -> None:
    zone = ZoneInfo("Europe/Berlin")
    load = {name: np.array([1.0, 2.0]) for name in ("request_rate", "active_users", "db_connections")}
    rows = ColumnReader(cpu, zone).read(load | {"timestamp": times})
    single = RowReader(cpu, zone)
    for row, moment in enumerate(("2026-07-03T14:05:59Z", "2026-01-01T00:00:00+01:00")):
        expected = single.read({name: values[row] for name, values in load.items()} | {"timestamp": moment})
        assert rows[row].tolist() == np.array(expected, dtype=np.float32).tolist()


def test_times_that_are_none_are_named(cpu: Workload) -> None:
    load = {name: np.array([1.0, 2.0, 3.0]) for name in ("request_rate", "active_users", "db_connections")}
    times = np.array(["2026-07-03T14:05:59Z", "soon", None], dtype=object)
    (message,) = wrong(ColumnReader(cpu, UTC), load | {"timestamp": times}).values()
    assert message.endswith("got 'soon' (2 rows: 1, 2, counted from 0)")


def test_choices_are_read_by_their_values(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("{name: w, cost: {name: c}, features: [{name: kind, type: choice, values: [a, b, 3]}]}")
    reader = ColumnReader(load_workload(path), UTC)
    assert reader.read({"kind": np.array(["b", "3", 3, "a"], dtype=object)}).ravel().tolist() == [1, 2, 2, 0]
    assert (
        "expected one of a, b, 3, got 'z' (row 0, counted from 0)"
        in wrong(reader, {"kind": np.array(["z"], dtype=object)})["kind"]
    )


@pytest.mark.parametrize(
    ("column", "decimal"),
    [
        (pa.array([Decimal("0.50"), Decimal("2.00"), None, Decimal("1.00")]), "."),
        (pa.array(["0,5", "2,0", None, " 1"]), ","),
        (pa.array(["0,50", "2", None, "1,0"]), ""),
    ],
)
def test_choices_that_are_numbers_are_read_as_numbers_are(tmp_path: Path, column: Any, decimal: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "{name: w, cost: {name: c}, features: [{name: size, type: choice, values: [0.5, 1.0, 2.0], default: 1.0}]}"
    )
    reader = ColumnReader(load_workload(path), UTC)
    assert reader.read({"size": column}, decimal=decimal).ravel().tolist() == [0, 2, 1, 1]
    if pa.types.is_string(column.type):
        with pytest.raises(InvalidInput, match=r"expected one of 0.5, 1.0, 2.0, got '0,5"):
            reader.read({"size": column})


def test_no_rows_are_no_mistake(cnn: Workload) -> None:
    assert ColumnReader(cnn, UTC).read(convolutions(0)).shape == (0, 15)


def test_rows_that_are_laid_out_already_are_checked_the_same(cnn: Workload) -> None:
    reader = ColumnReader(cnn, UTC)
    rows = reader.read(convolutions(MANY))
    reader.check(rows)
    rows[20_000, 0] = 0.5
    with pytest.raises(InvalidInput, match=r"batch_size: must be between 1 and 4096, got 0.5 \(row 20000, "):
        reader.check(rows)
