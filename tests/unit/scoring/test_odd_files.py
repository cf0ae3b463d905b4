"""Parquet files as they come: columns of any kind, wide rows, one huge row group, numbers that are none."""

import math
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper
from tests.drafts import draft
from tests.unit.scoring.test_score import DRAFT, PLAN, VERSION, WORKLOAD, expected, frame, written

from perfcast.errors import InvalidData, InvalidSetting
from perfcast.registry import Version
from perfcast.scoring import Plan, score

ROWS = 250
ODD: dict[str, Callable[[], pa.Array]] = {
    "map": lambda: pa.array([[("a", 1)]] * ROWS, pa.map_(pa.string(), pa.int32())),
    "struct": lambda: pa.array([{"a": 1, "b": [1.0]}] * ROWS),
    "large decimal": lambda: pa.array([Decimal("1.5")] * ROWS, pa.decimal256(60, 2)),
    "dictionary": lambda: pa.array(["x", "y"] * (ROWS // 2)).dictionary_encode(),
    "binary": lambda: pa.array([b"\xff"] * ROWS, pa.large_binary()),
    "uuid": lambda: pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16] * ROWS, pa.binary(16))),
    "null": lambda: pa.nulls(ROWS),
    "fixed list": lambda: pa.array([[1, 2]] * ROWS, pa.list_(pa.int8(), 2)),
    "time with zone": lambda: pa.array([1] * ROWS, pa.timestamp("ns", "Europe/Berlin")),
}


@pytest.mark.parametrize("kind", ODD)
def test_a_column_that_nothing_uses_comes_through_as_it_is(tmp_path: Path, kind: str) -> None:
    table = frame(ROWS).to_arrow().append_column(kind, ODD[kind]())
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=100)
    source = pq.read_table(tmp_path / "rows.parquet")
    score(PLAN, tmp_path / "rows.parquet", tmp_path / "out.parquet")
    scored = pq.read_table(tmp_path / "out.parquet")
    assert scored.select(source.column_names).equals(source)
    np.testing.assert_allclose(scored["cost"], expected(frame(ROWS)), rtol=1e-5)


@pytest.mark.parametrize("kind", ["map", "struct", "large decimal", "binary", "uuid", "fixed list"])
def test_a_feature_whose_column_can_hold_no_number_is_named(tmp_path: Path, kind: str) -> None:
    table = frame(ROWS).to_arrow().set_column(1, "request_rate", ODD[kind]())
    pq.write_table(table, tmp_path / "rows.parquet")
    with pytest.raises(InvalidData, match="column 'request_rate' holds"):
        score(PLAN, tmp_path / "rows.parquet", tmp_path / "out.parquet")


def test_numbers_are_read_from_dictionaries_and_texts(tmp_path: Path) -> None:
    table = frame(ROWS).to_arrow()
    rate = table["request_rate"].cast(pa.string()).combine_chunks().dictionary_encode()
    users = table["active_users"].combine_chunks().dictionary_encode()
    odd = table.set_column(1, "request_rate", rate).set_column(2, "active_users", users)
    pq.write_table(odd, tmp_path / "rows.parquet")
    score(PLAN, tmp_path / "rows.parquet", tmp_path / "out.parquet")
    np.testing.assert_allclose(pl.read_parquet(tmp_path / "out.parquet")["cost"], expected(frame(ROWS)), rtol=1e-5)


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "lz4", "zstd"])
def test_files_of_every_compression_are_read(tmp_path: Path, compression: str) -> None:
    pq.write_table(frame(ROWS).to_arrow(), tmp_path / "rows.parquet", compression=compression)
    score(PLAN, tmp_path / "rows.parquet", tmp_path / "out.parquet")
    np.testing.assert_allclose(pl.read_parquet(tmp_path / "out.parquet")["cost"], expected(frame(ROWS)), rtol=1e-5)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = frame(ROWS).to_arrow()
    pq.write_table(pa.table([*table.columns, table["id"]], [*table.column_names, "id"]), tmp_path / "rows.parquet")
    with pytest.raises(InvalidData, match="several columns 'id'"):
        score(PLAN, tmp_path / "rows.parquet", tmp_path / "out.parquet")


def test_what_is_no_number_is_marked_row_by_row(tmp_path: Path) -> None:
    rates = [math.nan, math.inf, -math.inf, 1e308, 1e39, -1.0, 7.0, None, -0.0]
    table = frame(len(rates)).with_columns(request_rate=pl.Series(rates, dtype=pl.Float64, strict=False))
    report = score(PLAN, written(tmp_path / "rows.parquet", table), tmp_path / "out.parquet")
    scored = pl.read_parquet(tmp_path / "out.parquet")
    assert scored["cost"].is_null().to_list() == [True] * 6 + [False, True, False]
    assert scored["problem"].is_null().to_list() == [False] * 6 + [True, False, True]
    assert (report.rows, report.bad) == (9, 7)
    np.testing.assert_allclose(scored["cost"].drop_nulls(), expected(table[[6, 8]]), rtol=1e-5)


def test_rows_for_which_the_model_has_no_finite_cost_are_marked(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Slice", ["features", "begin", "end", "axis"], ["column"]),
        helper.make_node("Reshape", ["column", "flat"], ["rate"]),
        helper.make_node("Log", ["rate"], ["cost"]),
    ]
    numbers = {"begin": 0, "end": 1, "axis": 1, "flat": -1}
    constants = [helper.make_tensor(name, TensorProto.INT64, [1], [value]) for name, value in numbers.items()]
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", len(WORKLOAD.feature_names)])]
    outputs = [helper.make_tensor_value_info("cost", TensorProto.FLOAT, ["rows"])]
    graph = helper.make_graph(nodes, "log", inputs, outputs, constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    logarithm = draft(WORKLOAD, made.SerializeToString())
    plan = Plan(Version("log", 1, None, logarithm.manifest, "", "2026-01-01T00:00:00Z"), logarithm.graph)
    table = frame(6).with_columns(request_rate=pl.Series([1.0, 0.0, 2.0, -5.0, 0.0, 4.0]))
    report = score(plan, written(tmp_path / "rows.parquet", table), tmp_path / "out.parquet")
    scored = pl.read_parquet(tmp_path / "out.parquet")
    assert (report.rows, report.bad) == (6, 3)
    assert [told and told.split(":")[0] for told in scored["problem"]] == [
        None, "the model has no finite cost for this row", None, "request_rate",
        "the model has no finite cost for this row", None,
    ]  # fmt: skip
    np.testing.assert_allclose(scored["cost"].drop_nulls(), np.log([1, 2, 4]).astype(np.float32), rtol=1e-5)


def test_an_unknown_coverage_is_refused() -> None:
    with pytest.raises(InvalidSetting, match=r"coverage must be one of .*0\.95.*got 0\.7"):
        Plan(VERSION, DRAFT.graph, coverage=0.7)


def test_a_file_without_rows_is_refused_and_one_among_others_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    empty = written(folder / "0.parquet", frame(ROWS)[:0])
    with pytest.raises(InvalidData, match="has no rows"):
        score(PLAN, empty, tmp_path / "out.parquet")
    with pytest.raises(InvalidData, match="has no rows"):
        score(PLAN, folder, tmp_path / "out")
    written(folder / "1.parquet", frame(ROWS))
    assert score(PLAN, folder, tmp_path / "out.parquet").rows == ROWS
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.parquet"]


def test_hidden_files_of_a_folder_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    written(folder / "0.parquet", frame(ROWS))
    for name in ("._0.parquet", "_metadata.parquet", "_SUCCESS"):
        (folder / name).write_bytes(b"something else")
    assert score(PLAN, folder, tmp_path / "out.parquet").rows == ROWS


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.parquet", frame(300))
    other = written(tmp_path / "other.parquet", frame(300), group=50)

    def changed(*_: int) -> None:
        if other.exists():
            source.write_bytes(other.read_bytes())
            other.unlink()

    with pytest.raises(InvalidData, match=r"rows\.parquet"):
        score(PLAN, source, tmp_path / "out", on_rows=changed)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def growth(folder: Path) -> int:
    """By how many bytes the memory of a process grows when it scores `rows.parquet`, beyond what a few rows take."""
    code = f"""
from pathlib import Path
from tests.unit.scoring.test_score import PLAN, most_memory, score, frame, written
folder = Path({str(folder)!r})
score(PLAN, written(folder / "few.parquet", frame(100)), folder / "few-scored.parquet")
before = most_memory()
score(PLAN, folder / "rows.parquet", folder / "scored.parquet")
print(most_memory() - before)
"""
    paths = ":".join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_one_row_group_far_larger_than_the_memory_it_takes_is_scored(tmp_path: Path) -> None:
    random, rows = np.random.default_rng(0), 600_000
    names = (*WORKLOAD.feature_names, *(f"note_{number}" for number in range(50)))
    columns = {name: random.uniform(0, 1, rows) for name in names} | {"is_business_hour": np.zeros(rows)}
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet", row_group_size=rows, use_dictionary=False)
    assert (tmp_path / "rows.parquet").stat().st_size > 250_000_000
    assert growth(tmp_path) < 200_000_000


@pytest.mark.parametrize("different", [50, 1])
def test_rows_of_many_kilobytes_are_scored_a_few_at_a_time(tmp_path: Path, different: int) -> None:
    random, rows = np.random.default_rng(0), 20_000
    texts = [random.bytes(10_000).hex() for _ in range(different)] * (rows // different)
    table = frame(rows).to_arrow().append_column("log", pa.array(texts, pa.string()))
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=rows, compression="zstd")
    assert table.nbytes > 390_000_000
    assert growth(tmp_path) < 300_000_000
