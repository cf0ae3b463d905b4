"""Jobs are cancelled at each of their stages: within 5 s nothing of them is left, and nothing was registered."""

import random
import time
from pathlib import Path

from tests.workers import fit_processes, small_dataset, training_processes, until, working

from perfcast.errors import Conflict
from perfcast.jobs import Job
from survival._bench import (
    BEGUN,
    CANCEL_SECONDS,
    PATIENCE,
    SHORT,
    TRIALS,
    Bench,
    Finding,
    Scenario,
    check,
    finished_before,
    moment,
)

REGISTERING_SECONDS = 0.06
"""About as long as it takes from a version's first bytes to the registration of all."""


def cancel_while_queued(bench: Bench) -> Finding:
    """No worker is there."""
    return _cancelled(bench, bench.submit(**SHORT))


def cancel_while_prepared(bench: Bench) -> Finding:
    """The training process imports its libraries."""
    with working(bench.settings):
        job = bench.submit(**SHORT)
        bench.shop.wait(job, *BEGUN, seconds=PATIENCE)
        time.sleep(random.uniform(0, 2))
        return _cancelled(bench, job)


def cancel_in_the_search(bench: Bench) -> Finding:
    """Short trials follow one another, in several processes."""
    with working(bench.settings):
        job = bench.submit(families=("xgboost", "polynomial"), n_trials=500)
        bench.shop.wait_for_trials(job, random.randint(1, 30), seconds=PATIENCE)
        time.sleep(random.uniform(0, 0.5))
        return _cancelled(bench, job)


def cancel_in_a_boosting_run(bench: Bench) -> Finding:
    """Long fits of XGBoost."""
    return _cancel_in_a_fit(bench, "xgboost")


def cancel_in_an_epoch(bench: Bench) -> Finding:
    """Long fits of the neural network."""
    return _cancel_in_a_fit(bench, "neural_network")


def cancel_in_the_final_fits(bench: Bench) -> Finding:
    """The search is over."""
    bench.shop.datasets.add(small_dataset(20_000, name="large"))
    with working(bench.settings):
        job = bench.submit(families=("xgboost",), n_trials=1, dataset="large")
        bench.shop.wait_for_trials(job, 1, seconds=PATIENCE)
        time.sleep(random.uniform(0, 0.3))
        return _cancelled(bench, job)


def cancel_while_registering(bench: Bench) -> Finding:
    """The versions' bytes are being written: either nothing is registered, or it is too late and all of it is."""
    artifacts = bench.settings.data_dir / "artifacts"
    with working(bench.settings):
        job = bench.submit(**SHORT)
        bench.shop.wait_for_trials(job, 1, seconds=PATIENCE)
        known, deadline = _files(artifacts), time.monotonic() + PATIENCE
        while _files(artifacts) == known:
            assert time.monotonic() < deadline, "nothing was ever registered"
            time.sleep(0.002)
        time.sleep(random.uniform(0, REGISTERING_SECONDS))
        return _cancelled(bench, job)


def cancel_when_finished(bench: Bench) -> Finding:
    """Too late: refused, and nothing changes."""
    with working(bench.settings):
        job = bench.submit(**SHORT)
        bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        time.sleep(random.uniform(0, 0.5))
        finding = _cancelled(bench, job)
    if not finding.seen.startswith("too late"):
        finding.wrong.append("it was not refused")
    return finding


CANCELLATIONS = tuple(
    Scenario(run, within=CANCEL_SECONDS)
    for run in (
        cancel_while_queued,
        cancel_while_prepared,
        cancel_in_the_search,
        cancel_in_a_boosting_run,
        cancel_in_an_epoch,
        cancel_in_the_final_fits,
        cancel_while_registering,
        cancel_when_finished,
    )
)


def _cancelled(bench: Bench, job: Job) -> Finding:
    """Cancel a job, wait until nothing of it is left, and look that nothing was registered; or that all of it was."""
    hit = moment(bench, job)
    before = finished_before(bench, job)
    begun = time.monotonic()
    try:
        bench.shop.jobs.cancel(job.id)
    except Conflict:
        seconds = time.monotonic() - begun
        bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        finding = check(bench, job, before, seconds).at(hit)
        finding.seen = f"too late, {finding.seen}"
        return finding
    until(lambda: bench.shop.jobs.find(job.id).finished and not training_processes(bench.settings), 60)
    seconds = time.monotonic() - begun
    wrong, done = [], bench.shop.jobs.find(job.id)
    if done.status != "cancelled":
        wrong.append(f"it has {done.status}: {done.error}")
    if any(model.name == job.request.model for model in bench.shop.registry.models()):
        wrong.append("versions were registered")
    if not before.items() <= finished_before(bench, job).items():
        wrong.append("a finished trial is missing")
    return Finding(seconds, wrong).at(hit)


def _cancel_in_a_fit(bench: Bench, family: str) -> Finding:
    bench.shop.datasets.add(small_dataset(20_000, name="large"))
    with working(bench.settings):
        job = bench.submit(families=(family,), n_trials=TRIALS, dataset="large")
        until(lambda: bench.shop.jobs.find(job.id).trials(), PATIENCE)
        time.sleep(random.uniform(0, 4))
        fits = fit_processes(bench.settings)
        finding = _cancelled(bench, job)
    finding.seen += f", {len(fits)} fits' processes"
    return finding


def _files(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*/*")) + sum(1 for _ in folder.glob("*/.*"))
