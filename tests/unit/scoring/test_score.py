"""Every row of a file gets its cost or a reason, in bounded memory, here as on a cluster."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.dask_cluster import DaskCluster, dask_cluster
from tests.drafts import draft, weighted

from perfcast.errors import InvalidData, InvalidSetting, Unavailable
from perfcast.registry import Version
from perfcast.scoring import COLUMNS, Plan, score
from perfcast.serving import Predictor
from perfcast.workloads import RowReader, builtin_workloads

WORKLOAD = builtin_workloads()["cpu-utilization"]
DRAFT = draft(
    WORKLOAD,
    weighted(WORKLOAD, request_rate=0.1, active_users=0.2),
    ranges={"request_rate": (0.0, 500.0), "active_users": (0.0, 80.0)},
)
VERSION = Version("shop", 1, None, DRAFT.manifest, "", "2026-01-01T00:00:00Z")
PLAN = Plan(VERSION, DRAFT.graph)


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskCluster]:
    with dask_cluster(workers=2) as cluster:
        yield cluster


@pytest.fixture(params=["here", "cluster"])
def address(request: pytest.FixtureRequest) -> str:
    """Where to score: the empty address means this process."""
    return "" if request.param == "here" else request.getfixturevalue("cluster").address


def frame(rows: int) -> pl.DataFrame:
    random = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "request_rate": random.uniform(0, 600, rows),
            "active_users": random.integers(0, 100, rows),
            "db_connections": random.integers(1, 50, rows),
            "timestamp": pl.Series([1_767_225_600 + 60 * row for row in range(rows)]),
        }
    )


def written(path: Path, table: pl.DataFrame, *, group: int = 100) -> Path:
    table.write_parquet(path, row_group_size=group)
    return path


def most_memory() -> int:
    """Bytes that this process had in memory at most; unlike `getrusage`, without what its parent had before `exec`."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def expected(table: pl.DataFrame) -> np.ndarray:
    return (0.1 * table["request_rate"].to_numpy() + 0.2 * table["active_users"].to_numpy()).astype(np.float32)


@pytest.mark.parametrize("name", ["scored.parquet", "scored"])
def test_every_row_gets_cost_interval_and_what_is_outside(tmp_path: Path, address: str, name: str) -> None:
    table = frame(950)
    source = written(tmp_path / "rows.parquet", table)
    seen: list[tuple[int, int]] = []
    report = score(PLAN, source, tmp_path / name, cluster=address, on_rows=lambda done, of: seen.append((done, of)))
    scored = pl.read_parquet(tmp_path / name if name.endswith(".parquet") else tmp_path / name / "*.parquet")
    assert scored.columns == [*table.columns, *COLUMNS]
    assert scored.select(table.columns).equals(table)
    np.testing.assert_allclose(scored["cost"], expected(table), rtol=1e-5)
    np.testing.assert_allclose(scored["lower"], np.maximum(scored["cost"] - np.where(scored["cost"] < 50, 2, 4), 0))
    outside = [("request_rate",) if rate > 500 else () for rate in table["request_rate"]]
    crowd = table["active_users"] > 80
    outside = [(*names, "active_users") if many else names for names, many in zip(outside, crowd, strict=True)]
    assert [tuple(names) for names in scored["extrapolated"].to_list()] == outside
    assert (report.rows, report.bad, report.extrapolated) == (950, 0, sum(map(bool, outside)))
    assert seen[-1] == (950, 950)
    assert scored["problem"].null_count() == 950


def test_the_answers_are_those_of_single_requests(tmp_path: Path) -> None:
    table = frame(20)
    score(PLAN, written(tmp_path / "rows.parquet", table), tmp_path / "out.parquet", cluster="")
    scored = pl.read_parquet(tmp_path / "out.parquet")
    predictor = Predictor(VERSION, DRAFT.graph, zone=ZoneInfo("UTC"))
    for row in scored.iter_rows(named=True):
        values = {name: row[name] for name in ("request_rate", "active_users", "db_connections")}
        moment = np.datetime64(row["timestamp"], "s").item().isoformat() + "Z"
        answer = predictor.answer(RowReader(predictor.workload, ZoneInfo("UTC")).read({**values, "timestamp": moment}))
        assert (row["cost"], row["lower"], row["upper"]) == pytest.approx((answer.cost, answer.lower, answer.upper))
        assert row["extrapolated"] == list(answer.extrapolated)


def test_bad_rows_are_marked_and_counted(tmp_path: Path, address: str) -> None:
    table = frame(300).with_columns(
        pl.when(pl.col("id") == 150).then(-3.0).when(pl.col("id") == 151).then(None).otherwise("request_rate").alias(
            "request_rate"
        )
    )  # fmt: skip
    target = tmp_path / "out.parquet"
    report = score(PLAN, written(tmp_path / "rows.parquet", table), target, cluster=address)
    scored = pl.read_parquet(target)
    assert (report.rows, report.bad) == (300, 2)
    assert sum(report.reasons.values()) == 2
    assert set(scored.filter(pl.col("cost").is_null())["id"]) == {150, 151}
    assert all("request_rate" in told for told in scored["problem"].drop_nulls())
    assert scored["problem"].null_count() == 298
    good = scored.filter(pl.col("problem").is_null())
    np.testing.assert_allclose(good["cost"], expected(good), rtol=1e-5)


def test_a_file_of_bad_rows_only_is_marked_too(tmp_path: Path) -> None:
    table = frame(30).with_columns(pl.lit(-1.0).alias("request_rate"))
    report = score(PLAN, written(tmp_path / "rows.parquet", table), tmp_path / "out.parquet")
    assert (report.rows, report.bad) == (30, 30)
    assert pl.read_parquet(tmp_path / "out.parquet")["cost"].null_count() == 30


def test_bad_rows_are_refused_by_number_where_asked_and_nothing_is_left(tmp_path: Path, address: str) -> None:
    rate = pl.when(pl.col("id") == 150).then(-3.0).otherwise("request_rate").alias("request_rate")
    table = frame(300).with_columns(rate)
    source = written(tmp_path / "rows.parquet", table)
    with pytest.raises(InvalidData, match=r"row 151 \(counted from 1\): request_rate"):
        score(Plan(VERSION, DRAFT.graph, on_bad="refuse"), source, tmp_path / "out.parquet", cluster=address)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_columns_are_taken_as_told(tmp_path: Path) -> None:
    table = frame(50).rename({"request_rate": "per_minute"}).with_columns(pl.col("per_minute") * 60)
    plan = Plan(VERSION, DRAFT.graph, told={"request_rate": "per_minute / 60"})
    score(plan, written(tmp_path / "rows.parquet", table), tmp_path / "out.parquet")
    wanted = expected(table.with_columns((pl.col("per_minute") / 60).alias("request_rate")))
    np.testing.assert_allclose(pl.read_parquet(tmp_path / "out.parquet")["cost"], wanted, rtol=1e-5)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.parquet", frame(50).drop("active_users"))
    with pytest.raises(InvalidData, match="active_users"):
        score(PLAN, source, tmp_path / "out.parquet")


def test_a_folder_of_files_is_scored_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    table = frame(400)
    for number in range(2):
        written(folder / f"{number}.parquet", table[200 * number : 200 * (number + 1)])
    report = score(PLAN, folder, tmp_path / "out.parquet")
    assert report.rows == 400
    assert pl.read_parquet(tmp_path / "out.parquet")["id"].to_list() == list(range(400))
    written(folder / "2.parquet", table.drop("id"))
    with pytest.raises(InvalidData, match="other columns"):
        score(PLAN, folder, tmp_path / "other.parquet")


def test_an_output_that_exists_is_kept_unless_told(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.parquet", frame(50))
    for name in ("out.parquet", "out"):
        score(PLAN, source, tmp_path / name)
        with pytest.raises(InvalidSetting, match="--overwrite"):
            score(PLAN, source, tmp_path / name)
        score(PLAN, source, tmp_path / name, overwrite=True)
    with pytest.raises(InvalidSetting, match="same"):
        score(PLAN, source, source, overwrite=True)


@pytest.mark.parametrize("content", [b"", b"not parquet"])
def test_what_is_no_parquet_file_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rows.parquet").write_bytes(content)
    with pytest.raises(InvalidData, match="Parquet"):
        score(PLAN, tmp_path / "rows.parquet", tmp_path / "out.parquet")
    with pytest.raises(InvalidData, match="no such"):
        score(PLAN, tmp_path / "none.parquet", tmp_path / "out.parquet")


def test_a_column_of_that_name_is_not_overwritten(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.parquet", frame(50).with_columns(pl.lit(1.0).alias("cost")))
    with pytest.raises(InvalidData, match="already has a column 'cost'"):
        score(PLAN, source, tmp_path / "out.parquet")


def test_a_file_far_larger_than_the_memory_it_takes_is_scored(tmp_path: Path) -> None:
    source, rows = tmp_path / "rows.parquet", 4_000_000
    schema = pa.schema([("request_rate", pa.float64()), ("active_users", pa.int64()), ("db_connections", pa.int64()),
                        ("hour_sin", pa.float64()), ("hour_cos", pa.float64()), ("minute_sin", pa.float64()),
                        ("minute_cos", pa.float64()), ("is_business_hour", pa.int64())])  # fmt: skip
    random = np.random.default_rng(0)
    with pq.ParquetWriter(source, schema, compression="none", use_dictionary=False) as writer:
        for _ in range(rows // 500_000):
            columns = [random.uniform(0, 1, 500_000) if pa.types.is_floating(kind) else random.integers(0, 2, 500_000)
                       for kind in schema.types]  # fmt: skip
            writer.write_table(pa.table(columns, schema=schema))
    code = f"""
from pathlib import Path
from tests.unit.scoring.test_score import PLAN, most_memory, score, frame, written
folder = Path({str(tmp_path)!r})
score(PLAN, written(folder / "few.parquet", frame(100)), folder / "few-scored.parquet")
before = most_memory()
assert score(PLAN, folder / "rows.parquet", folder / "scored.parquet").rows == {rows}
print(most_memory() - before)
"""
    paths = ":".join(path for path in sys.path if path)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": paths})
    assert done.returncode == 0, done.stderr
    assert source.stat().st_size > 250_000_000
    assert int(done.stdout) < 150_000_000


def test_a_killed_worker_costs_no_row(tmp_path: Path, cluster: DaskCluster) -> None:
    while len(cluster.workers) < 2:
        cluster.add_worker()
    table = frame(40_000)
    source = written(tmp_path / "rows.parquet", table, group=200)
    killed: list[int] = []

    def on_rows(done: int, of: int) -> None:
        if not killed and done > of / 20:
            killed.append(cluster.workers[0])
            Thread(target=cluster.kill, args=(killed[0],)).start()

    report = score(PLAN, source, tmp_path / "out.parquet", cluster=cluster.address, on_rows=on_rows)
    assert killed
    assert (report.rows, report.bad) == (40_000, 0)
    scored = pl.read_parquet(tmp_path / "out.parquet")
    assert scored["id"].to_list() == list(range(40_000))
    np.testing.assert_allclose(scored["cost"], expected(table), rtol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "rows.parquet"]


def test_without_a_cluster_at_the_address_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast.cluster._connection.CONNECT_SECONDS", 0.5)
    source = written(tmp_path / "rows.parquet", frame(50))
    with pytest.raises(Unavailable, match="dask scheduler"):
        score(PLAN, source, tmp_path / "out.parquet", cluster="tcp://127.0.0.1:9")
