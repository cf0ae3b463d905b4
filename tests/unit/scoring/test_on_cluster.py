"""Scoring on a real Dask cluster that loses its workers or its scheduler, or never had any."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
from tests.dask_cluster import DaskCluster, dask_cluster
from tests.patience import PATIENCE_SECONDS
from tests.unit.scoring.test_score import DRAFT, PLAN, VERSION, frame, written

from perfcast.errors import InvalidData, Unavailable
from perfcast.scoring import Plan, score


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskCluster]:
    with dask_cluster(workers=2) as cluster:
        yield cluster


def once(share: float, act: Callable[[], object]) -> Callable[[int, int], None]:
    """An `on_rows` that does something beside the scoring, once so much of it is done."""
    begun: list[Thread] = []

    def on_rows(done: int, of: int) -> None:
        if not begun and done > share * of:
            begun.append(Thread(target=act))
            begun[0].start()

    return on_rows


def test_without_workers_it_says_what_to_do_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast.cluster._connection.CONNECT_SECONDS", 3)
    source = written(tmp_path / "rows.parquet", frame(50))
    with dask_cluster(workers=0) as empty, pytest.raises(Unavailable, match="dask worker"):
        score(PLAN, source, tmp_path / "out.parquet", cluster=empty.address)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_when_all_workers_have_gone_it_gives_up_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfcast.cluster._connection.WORKERLESS_SECONDS", 3.0)
    source = written(tmp_path / "rows.parquet", frame(40_000), group=100)
    with dask_cluster(workers=1) as small:
        on_rows = once(0.05, lambda: small.kill(small.workers[0]))
        with pytest.raises(Unavailable, match="has no workers"):
            score(PLAN, source, tmp_path / "out", cluster=small.address, on_rows=on_rows)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_when_the_scheduler_dies_it_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.parquet", frame(40_000), group=100)
    with dask_cluster(workers=1) as small:
        on_rows = once(0.05, small.stop_scheduler)
        with pytest.raises(Unavailable, match=r"scheduler at tcp.* does not answer"):
            score(PLAN, source, tmp_path / "out", cluster=small.address, on_rows=on_rows)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def begun_parts(folder: Path) -> list[Path]:
    """Files that are being written there."""
    try:
        return list(folder.glob(".*/**/*part-*"))
    except FileNotFoundError:  # a folder was renamed while it was looked at
        return []


@pytest.mark.parametrize("name", ["out.parquet", "out"])
def test_a_worker_killed_while_it_writes_loses_and_doubles_no_row(
    tmp_path: Path, cluster: DaskCluster, name: str
) -> None:
    while len(cluster.workers) < 2:
        cluster.add_worker()
    source = written(tmp_path / "rows.parquet", frame(900_000), group=300_000)
    killed: list[int] = []

    def kill_a_writer() -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not killed and time.monotonic() < deadline:
            for begun in tmp_path.glob(".*/**/*part-*"):
                pids = [pid for pid in cluster.workers if f".{pid}." in begun.name]
                if pids:
                    cluster.kill(pids[0])
                    killed.extend(pids)
                    return
            time.sleep(0.005)

    killer = Thread(target=kill_a_writer)
    killer.start()
    report = score(PLAN, source, tmp_path / name, cluster=cluster.address)
    killer.join()
    assert killed
    assert report.rows == 900_000
    target = tmp_path / name
    scored = pl.read_parquet(target if target.is_file() else sorted(target.iterdir()))
    assert scored["id"].to_list() == list(range(900_000))
    assert scored["cost"].null_count() == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [name, "rows.parquet"]
    if target.is_dir():
        assert sorted(path.name for path in target.iterdir()) == [f"part-0000{number}.parquet" for number in range(3)]


def test_ctrl_c_ends_it_on_the_workers_too_and_leaves_nothing(tmp_path: Path, cluster: DaskCluster) -> None:
    source = written(tmp_path / "rows.parquet", frame(2_000_000), group=500_000)

    def interrupted(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(PLAN, source, tmp_path / "out", cluster=cluster.address, on_rows=interrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_paths_may_be_relative_though_workers_are_elsewhere(
    tmp_path: Path, cluster: DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "rows.parquet", frame(300))
    monkeypatch.chdir(tmp_path)
    assert score(PLAN, Path("rows.parquet"), Path("out"), cluster=cluster.address).rows == 300
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_a_large_graph_is_sent_without_a_warning(
    tmp_path: Path, cluster: DaskCluster, recwarn: pytest.WarningsRecorder
) -> None:
    padded = DRAFT.graph + b"\x32" + b"\x80\x80\x80\x06" + b"d" * (6 << 21)  # the field of a model's description
    source = written(tmp_path / "rows.parquet", frame(300))
    assert score(Plan(VERSION, padded), source, tmp_path / "out", cluster=cluster.address).rows == 300
    assert not [str(warning.message) for warning in recwarn if "large" in str(warning.message).lower()]


def test_workers_without_the_same_perfcast_are_told_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast.cluster._connection.CONNECT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr("perfcast.cluster._connection.WORKERLESS_SECONDS", 3.0)
    source = written(tmp_path / "rows.parquet", frame(300))
    broken = tmp_path / "elsewhere" / "perfcast"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('another version')")
    with dask_cluster(workers=0) as other:
        other.add_worker(paths=[str(broken.parent)])
        with pytest.raises(Unavailable, match=r"has no workers.*same version of perfcast"):
            score(PLAN, source, tmp_path / "out", cluster=other.address)


def test_a_worker_that_does_not_share_the_folders_is_told_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfcast.cluster._connection.CONNECT_SECONDS", PATIENCE_SECONDS)
    source = written(tmp_path / "rows.parquet", frame(300))
    with dask_cluster(workers=0) as other:
        other.add_worker(unseen=tmp_path)
        with pytest.raises(InvalidData, match=r"can't see .*rows\.parquet; workers must share"):
            score(PLAN, source, tmp_path / "out", cluster=other.address)
