"""What every executor must do, wherever its fits run."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.dask_cluster import DaskCluster, dask_cluster
from tests.patience import until
from tests.unit.training.searches import search
from tests.unit.training.trial_families import Behaving

from perfcast.datasets import Dataset
from perfcast.errors import Stopped, Unavailable
from perfcast.training import Budget, TrialReport
from perfcast.training.families import Stop, never
from perfcast.training.fits import Executor, FitResult, FitTask, Here, Inner, inner_validation
from perfcast.training.fits._cluster import OnCluster
from perfcast.training.fits._processes import InProcesses

Make = Callable[..., Executor]


@pytest.fixture(scope="module")
def cluster() -> Iterator[DaskCluster]:
    with dask_cluster(workers=2) as cluster:
        yield cluster


@pytest.fixture
def inner(dataset: Dataset) -> Inner:
    return inner_validation(dataset.split(), dataset.workload, seed=0, threads=1)


@pytest.fixture
def family(tmp_path: Path) -> Behaving:
    return Behaving(tmp_path)


@pytest.fixture(params=["here", "processes", "cluster"])
def make(request: pytest.FixtureRequest, inner: Inner) -> Iterator[Make]:
    yield from _maker(request.param, inner, request)


@pytest.fixture(params=["processes", "cluster"])
def make_apart(request: pytest.FixtureRequest, inner: Inner) -> Iterator[Make]:
    """Executors whose fits run in other processes, two at a time."""
    yield from _maker(request.param, inner, request)


def _maker(kind: str, inner: Inner, request: pytest.FixtureRequest) -> Iterator[Make]:
    opened: list[Executor] = []

    def make(stop: Stop = never) -> Executor:
        if kind == "here":
            opened.append(Here(inner, stop=stop))
        elif kind == "processes":
            opened.append(InProcesses(inner, processes=2, stop=stop))
        else:
            cluster: DaskCluster = request.getfixturevalue("cluster")
            while len(cluster.workers) < 2:
                cluster.add_worker()
            opened.append(_with_two_workers(OnCluster(inner, cluster.address, stop=stop)))
        return opened[-1]

    yield make
    for executor in opened:
        executor.close()


def _with_two_workers(executor: OnCluster) -> OnCluster:
    until(lambda: executor.slots == 2)
    return executor


def results(executor: Executor, count: int) -> dict[int, FitResult]:
    found: dict[int, FitResult] = {}

    def all_of_them() -> bool:
        found.update({result.key: result for result in executor.wait(0.2)})
        return len(found) >= count

    until(all_of_them)
    return found


def marks(family: Behaving, suffix: str) -> list[Path]:
    return [path for path in family.folder.iterdir() if path.suffix == suffix]


def test_a_trial_is_scored_on_the_validation_rows(make: Make, inner: Inner, family: Behaving) -> None:
    executor = make()
    for key, value in enumerate((0.5, 3.0)):
        executor.submit(FitTask(key, family, {"value": value}))
    found = results(executor, 2)
    for key, value in enumerate((0.5, 3.0)):
        result = found[key]
        assert result.state == "complete"
        assert result.held is not None
        assert result.score == pytest.approx(inner.score(result.held))
        assert (result.held == value).all()
        assert result.settings["value"] == value
        assert result.fitted is None


def test_a_final_fit_learns_from_all_rows_and_comes_back(make: Make, inner: Inner, family: Behaving) -> None:
    executor = make()
    executor.submit(FitTask(7, family, {"value": 2.0}, learnt="training"))
    fitted = results(executor, 1)[7].fitted
    assert fitted is not None
    assert (fitted.predict(inner.held_inputs) == 2).all()
    assert fitted.settings["rows"] == len(inner.lesson.target) + len(inner.cost)
    assert fitted.settings["threads"] == 1


def test_a_fit_that_fails_is_told_with_its_reason(make: Make, family: Behaving) -> None:
    executor = make()
    executor.submit(FitTask(1, family, {"value": 0.0, "act": "fail"}))
    result = results(executor, 1)[1]
    assert (result.state, result.error) == ("failed", "behaving: singular")


def test_a_fit_whose_time_is_up_ends_with_what_it_has(make: Make, family: Behaving) -> None:
    executor = make()
    begun = time.monotonic()
    executor.submit(FitTask(1, family, {"value": 0.0, "seconds": 60}, seconds=0.3))
    executor.submit(FitTask(2, family, {"value": 1.0, "seconds": 60}, seconds=0.3, learnt="training"))
    found = results(executor, 2)
    assert time.monotonic() - begun < 50  # of 60 s
    assert {result.state for result in found.values()} == {"complete"}
    assert found[2].late
    assert 0.3 <= found[1].seconds < 30  # of 60 s


def test_a_trial_above_the_limit_at_its_progress_is_given_up(make: Make, family: Behaving) -> None:
    executor = make()
    curve = (9.0, 5.0, 4.0, 3.0)
    executor.submit(FitTask(1, family, {"value": 0.0, "curve": curve}, limits={0: 9.5, 2: 3.9}))
    executor.submit(FitTask(2, family, {"value": 0.0, "curve": curve}, limits={0: 9.5, 2: 4.1}))
    found = results(executor, 2)
    assert (found[1].state, found[1].curve) == ("pruned", ((0, 9.0), (1, 5.0), (2, 4.0)))
    assert (found[2].state, found[2].curve) == ("complete", tuple(enumerate(curve)))


def test_more_fits_than_slots_are_all_made(make: Make, family: Behaving) -> None:
    executor = make()
    for key in range(7):
        executor.submit(FitTask(key, family, {"value": float(key)}))
    assert set(results(executor, 7)) == set(range(7))


def test_asked_to_stop_it_stops_soon(make: Make, family: Behaving) -> None:
    asked: list[float] = []

    def stop() -> bool:
        if not asked and marks(family, ""):
            asked.append(time.monotonic())
        return bool(asked)

    executor = make(stop)
    executor.submit(FitTask(1, family, {"value": 0.0, "seconds": 60}))
    with pytest.raises(Stopped):
        results(executor, 1)
    assert time.monotonic() - asked[0] < 50  # of 60 s; how soon, benchmarks/jobs.py measures


def test_closing_ends_the_fits_that_run(make_apart: Make, family: Behaving) -> None:
    executor = make_apart()
    executor.submit(FitTask(1, family, {"value": 0.0, "seconds": 60}))
    until(lambda: marks(family, ""))
    (mark,) = marks(family, "")
    process = _process(mark)
    begun = time.monotonic()
    executor.close()
    until(lambda: marks(family, ".stopped") or not _lives(process))
    assert time.monotonic() - begun < 50  # of 60 s


def test_two_fits_run_at_the_same_time_in_different_processes(make_apart: Make, family: Behaving) -> None:
    executor = make_apart()
    for key in range(2):
        executor.submit(FitTask(key, family, {"value": float(key), "seconds": 60}))
    until(lambda: len(marks(family, "")) == 2)
    assert not marks(family, ".stopped")
    assert len({_process(mark) for mark in marks(family, "")} | {os.getpid()}) == 3


def test_a_fit_that_never_looks_at_the_clock_is_given_up(make_apart: Make, family: Behaving) -> None:
    executor = make_apart()
    executor.submit(FitTask(0, family, {"value": 0.0}))
    results(executor, 1)
    begun = time.monotonic()
    executor.submit(FitTask(1, family, {"value": 0.0, "seconds": 60, "act": "deaf"}, seconds=0.2))
    result = results(executor, 1)[1]
    assert result.state == "failed"
    assert "time was up" in result.error
    assert time.monotonic() - begun < 50  # of 60 s


def test_a_fit_that_kills_its_process_does_not_end_the_others(make_apart: Make, family: Behaving) -> None:
    executor = make_apart()
    executor.submit(FitTask(1, family, {"value": 0.0, "act": "die_once"}))
    assert results(executor, 1)[1].state == "complete", "it is begun again"
    executor.submit(FitTask(2, family, {"value": 2.0}))
    assert results(executor, 1)[2].state == "complete"


def test_a_fit_that_kills_every_process_has_failed(inner: Inner, family: Behaving) -> None:
    with closing(InProcesses(inner, processes=1)) as executor:
        executor.submit(FitTask(1, family, {"value": 0.0, "act": "die"}))
        result = results(executor, 1)[1]
    assert (result.state, result.error) == ("failed", "behaving: its process was killed, 3 times")
    assert len(marks(family, "")) == 4  # three fits, and the one that says that it has died


def test_an_unforeseen_error_in_a_fit_does_not_end_the_search(make: Make, family: Behaving) -> None:
    executor = make()
    executor.submit(FitTask(1, family, {"value": 0.0, "act": "break"}))
    result = results(executor, 1)[1]
    assert result.state == "failed"
    assert "unforeseen" in result.error


def test_a_search_goes_on_when_a_process_is_killed_and_repeats_no_finished_trial(
    make_apart: Make, dataset: Dataset, inner: Inner, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    family = _Slow(tmp_path)
    killed: list[int] = []
    reports: list[TrialReport] = []

    def kill_one() -> None:  # apart from the search: while that waits, nothing new would run
        until(lambda: len(reports) >= 3)
        until(lambda: killed.extend(_running(family)[:1]) or killed)
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    storage = f"sqlite:///{tmp_path}/study.db"
    with closing(make_apart()) as executor:
        found = search(
            dataset.split(), dataset.workload, {family.name: family}, Budget(10), executor=executor, inner=inner,
            study_storage=storage, study_name="one", on_trial=reports.append,
        )  # fmt: skip
    killer.join()
    assert killed
    assert (found.summary["trials"], found.summary["complete"]) == (10, 10)
    ended = [report.trial for report in reports if report.state == "complete"]
    assert sorted(ended) == list(range(1, 11))
    assert 10 <= len(marks(family, "")) <= 12, "only trials that ran when the process was killed are begun again"


class _Slow(Behaving):
    """Takes a quarter of a second."""

    def fit(self, lesson, settings, **options):  # type: ignore[no-untyped-def]
        return super().fit(lesson, {**settings, "seconds": 0.25}, **options)


def _running(family: Behaving) -> list[int]:
    """Processes that have begun a fit and not ended it."""
    ended = {path.stem for path in marks(family, ".ended")}
    return [_process(mark) for mark in marks(family, "") if mark.name not in ended]


def _process(mark: Path) -> int:
    return int(mark.name.rpartition("_")[2])


def test_without_a_scheduler_it_says_what_to_do(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast.cluster._connection.CONNECT_SECONDS", 0.5)
    with pytest.raises(Unavailable, match="dask scheduler"):
        OnCluster(inner, "tcp://127.0.0.1:9")


def test_without_workers_it_says_what_to_do(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast.cluster._connection.CONNECT_SECONDS", 3)
    with dask_cluster(workers=0) as empty, pytest.raises(Unavailable, match="dask worker"):
        OnCluster(inner, empty.address)


def test_a_search_whose_scheduler_dies_ends_to_be_continued(dataset: Dataset, inner: Inner, tmp_path: Path) -> None:
    family = _Slow(tmp_path)
    with dask_cluster(workers=1) as cluster, closing(OnCluster(inner, cluster.address)) as executor:

        def on_trial(report: TrialReport) -> None:
            if report.finished == 2:
                cluster.stop_scheduler()

        with pytest.raises(Unavailable, match="does not answer"):
            search(
                dataset.split(), dataset.workload, {family.name: family}, Budget(50), executor=executor, inner=inner,
                on_trial=on_trial,
            )  # fmt: skip


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_process_that_fits_is_given_no_password(
    inner: Inner, family: Behaving, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "s3cret"
    addresses = ["DATABASE_URL", "REDIS_URL", "ARTIFACTS_URL", "MLFLOW_TRACKING_URI"]
    for name in (*addresses, "API_KEY", "PERFCAST_API_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD"):
        monkeypatch.setenv(name, f"scheme://user:{secret}@host/{name}")
    monkeypatch.setenv("KEPT_FOR_A_LIBRARY", "yes")
    with closing(InProcesses(inner, processes=1)) as executor:
        executor.submit(FitTask(1, family, {"value": 0.0, "seconds": 60}))
        until(lambda: marks(family, ""))
        process = executor._processes[0].popen.pid
        given = Path(f"/proc/{process}/environ").read_text()
    assert secret not in given
    assert "KEPT_FOR_A_LIBRARY=yes" in given
