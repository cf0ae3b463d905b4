"""What more workers bring: one job and three jobs with 1 and 3 workers, one job's trials on Dask with 1 and 2 workers.

    python benchmarks/scale.py
    python benchmarks/scale.py --times 1 --trials 9 --only one-job-3-workers

Everything is real: PostgreSQL, Redis, workers, a Dask scheduler and its workers, each a process, started here and ended
at the end (`tests/services.py`, `tests/workers.py`, `tests/dask_cluster.py`). Each job learns from the convolutions
that Perfcast ships, timed with PyTorch, with a fixed number of trials and a fixed seed. On as many slots that gives the
same trials; Dask with one worker is one slot, all others are two, so there compare the processor time too. Cases take
turns, so that a machine whose speed drifts treats them alike.

A case is timed when all of its workers are there: Perfcast's have said that they are ready, Dask's are known to the
scheduler and have each fitted something, and a short job has been done. The search is timed from the moment that the
first trial begins until the last one has ended, as the study has noted them: without the start of training processes,
the last fits and the drafts, which the seconds of the whole job contain. Prints a Markdown table.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.dask_cluster import DaskCluster, dask_cluster
from tests.services import postgres_server, redis_server
from tests.workers import QUICK, Shop, ready_worker

from perfcast.datasets import shipped_dataset
from perfcast.jobs import Job
from perfcast.jobs.run._studies import study_address
from perfcast.settings import Settings, load_settings

DATA = "cpu-torch"
FAMILIES = ("random_forest", "polynomial")
"""Those whose fits take about as long on a busy machine as their work is; boosting on several threads does not."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Case:
    """What is timed: so many jobs at once, for so many workers, their trials in local processes or on a cluster.

    Attributes:
        dask: Workers of the Dask cluster; 0 for none.
        against: The case whose time is 1.
    """

    jobs: int
    workers: int
    dask: int
    against: str

    def words(self) -> str:
        """The case as the table names it."""
        jobs = "one job" if self.jobs == 1 else f"{self.jobs} jobs at once"
        workers = f"{self.workers} worker{'s' if self.workers > 1 else ''}"
        if not self.dask:
            return f"{jobs}, {workers}"
        return f"{jobs}, {workers}, trials on Dask with {self.dask} worker{'s' if self.dask > 1 else ''}"


CASES = {
    "one-job-1-worker": Case(1, 1, 0, "one-job-1-worker"),
    "one-job-3-workers": Case(1, 3, 0, "one-job-1-worker"),
    "three-jobs-1-worker": Case(3, 1, 0, "three-jobs-1-worker"),
    "three-jobs-3-workers": Case(3, 3, 0, "three-jobs-1-worker"),
    "dask-1-worker": Case(1, 1, 1, "dask-1-worker"),
    "dask-2-workers": Case(1, 1, 2, "dask-1-worker"),
}


@dataclass(frozen=True)
class Timing:
    """One repetition of a case.

    Attributes:
        seconds: From the submission to the end of the last job.
        search: From the begin of the first trial of all jobs to the end of their last one.
        fits: Seconds of all trials together, by which more than `search` some ran at the same time.
        cpu: Seconds of processor time of all workers, their training processes and the Dask workers.
    """

    seconds: float
    search: float
    fits: float
    cpu: float


def timed(shop: Shop, name: str, trials: int) -> Timing:
    """Run a case once."""
    case = CASES[name]
    with ExitStack() as stack:
        settings, processes = shop.settings, []
        if case.dask:
            cluster = stack.enter_context(dask_cluster(case.dask))
            _make_ready(cluster)
            settings = settings.model_copy(update={"dask_scheduler_address": cluster.address})
            processes += cluster.workers
        processes += [stack.enter_context(ready_worker(settings)).pid for _ in range(case.workers)]
        for job in _submit(shop, 1, len(FAMILIES)):
            shop.wait(job, "succeeded")
        before, begun = _cpu_seconds(processes), time.monotonic()
        jobs = _submit(shop, case.jobs, trials)
        while not all(job.finished for job in jobs):
            time.sleep(0.05)
            jobs = [shop.jobs.find(job.id) for job in jobs]
        seconds, cpu = time.monotonic() - begun, _cpu_seconds(processes) - before
        for job in jobs:
            assert job.status == "succeeded", job.error
        spans = [span for job in jobs for span in _trials(settings, job)]
        assert len(spans) == case.jobs * trials
        search = max(end for _, end in spans) - min(start for start, _ in spans)
        return Timing(seconds, search.total_seconds(), sum((e - s).total_seconds() for s, e in spans), cpu)


def _make_ready(cluster: DaskCluster) -> None:
    """Wait until all of its workers are known to the scheduler and have imported what fits need."""
    import distributed

    client: Any = distributed.Client
    with client(cluster.address, set_as_default=False) as connection:
        connection.wait_for_workers(len(cluster.workers), timeout=60)
        warmed = connection.run(_warm)
        assert len(warmed) == len(cluster.workers)


def _warm() -> bool:
    """Runs on each Dask worker: one fit of each family, so that none of them imports anything while it is timed."""
    from perfcast.training import Budget, train

    train(shipped_dataset(DATA), Budget(len(FAMILIES)), family_names=FAMILIES, threads=1)
    return True


def _trials(settings: Settings, job: Job) -> list[tuple[datetime, datetime]]:
    """When each of a job's trials began and ended."""
    import optuna

    study = optuna.load_study(study_name=job.id, storage=study_address(job.id, settings))
    trials = study.get_trials(deepcopy=False)
    ended = [(trial.datetime_start, trial.datetime_complete) for trial in trials if trial.state.is_finished()]
    return [(start, end) for start, end in ended if start and end]


def table(timings: dict[str, list[Timing]], processors: int) -> Iterator[str]:
    """The medians as Markdown; ratios are medians of each repetition's own ratio."""
    yield f"| {processors} processors | s | ratio to one worker | search, s | ratio | trials at a time | CPU s | busy |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, found in timings.items():
        seconds, search, cpu = (
            statistics.median(getattr(timing, what) for timing in found) for what in ("seconds", "search", "cpu")
        )
        base = timings.get(CASES[name].against, [])
        at_a_time = statistics.median(timing.fits / timing.search for timing in found)
        busy = statistics.median(timing.cpu / timing.seconds for timing in found)
        yield (
            f"| {CASES[name].words()} | {seconds:.1f} | {_ratio(found, base, 'seconds')} | {search:.1f} | "
            f"{_ratio(found, base, 'search')} | {at_a_time:.2f} | {cpu:.1f} | {busy:.2f} |"
        )


def _ratio(found: Sequence[Timing], base: Sequence[Timing], what: str) -> str:
    ratios = [getattr(one, what) / getattr(other, what) for one, other in zip(found, base, strict=False)]
    return f"{statistics.median(ratios):.2f}" if ratios else "–"


def main() -> None:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--trials", type=int, default=12, help="of each job")
    parser.add_argument("--only", action="append", choices=CASES, default=[])
    chosen = parser.parse_args()
    names: Sequence[str] = chosen.only or list(CASES)
    timings: dict[str, list[Timing]] = {name: [] for name in names}
    with installation() as shop:
        for repetition in range(chosen.times):
            for name in names:
                timings[name].append(timed(shop, name, chosen.trials))
                print(f"{repetition + 1}/{chosen.times} {name}: {timings[name][-1]}", file=sys.stderr, flush=True)
    for line in table(timings, len(os.sched_getaffinity(0))):
        print(line)


@contextmanager
def installation() -> Iterator[Shop]:
    """PostgreSQL, Redis, and the data that is learnt from."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="perfcast-scale-")))
        redis, postgres = stack.enter_context(redis_server()), stack.enter_context(postgres_server())
        given: dict[str, object] = {**QUICK, "redis_url": redis.url, "database_url": postgres.url}
        shop = Shop(load_settings(data_dir=folder, **given))
        stack.callback(shop.close)
        shop.datasets.add(shipped_dataset(DATA))
        yield shop


def _submit(shop: Shop, jobs: int, trials: int) -> list[Job]:
    """Jobs of models of their own, which alone may run at the same time."""
    asked: dict[str, object] = {"dataset": DATA, "families": FAMILIES, "n_trials": trials, "promote": "never"}
    return [shop.submit(model_name=f"model-{time.monotonic_ns()}", **asked) for _ in range(jobs)]


def _cpu_seconds(processes: Sequence[int]) -> float:
    """Of processes and of all their children that have ended."""
    spent = 0
    for process in processes:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        spent += sum(int(number) for number in fields[11:15])
    return spent / TICKS


if __name__ == "__main__":
    main()
