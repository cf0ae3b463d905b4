"""Workers and training processes stand still and come back: as on a machine that was paused, or swaps."""

import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from tests.workers import ready_worker, small_dataset, stop, training_process, training_processes, until

from survival._bench import (
    CANCEL_SECONDS,
    PATIENCE,
    Bench,
    Finding,
    Scenario,
    check,
    doomed,
    finished_before,
    left_behind,
    somewhere,
)

LONGER = 40
"""Trials of a search that goes on for longer than a heartbeat may stand still."""


def worker_frozen(bench: Bench) -> Finding:
    """A worker freezes while its training process goes on; another takes the job; then the first goes on."""
    return _frozen(bench, whole=False)


def machine_frozen(bench: Bench) -> Finding:
    """A worker freezes with all that trains for it; another takes the job; then all of it goes on."""
    return _frozen(bench, whole=True)


def cancel_under_a_frozen_worker(bench: Bench) -> Finding:
    """A job is cancelled whose worker stands still, with the usual intervals; another worker is there."""
    settings = bench.usual
    job = bench.submit(families=("xgboost", "polynomial"), n_trials=2000)
    with doomed(settings) as frozen:
        bench.shop.wait_for_trials(job, 2, seconds=PATIENCE)
        with ready_worker(settings):
            hit = somewhere(bench, job, first=2, last=10)
            time.sleep(random.uniform(0, settings.job_heartbeat_seconds))
            frozen.send_signal(signal.SIGSTOP)
            begun = time.monotonic()
            bench.shop.jobs.cancel(job.id)
            until(lambda: bench.shop.jobs.find(job.id).finished and training_process(job) is None, 60)
            seconds = time.monotonic() - begun
            wrong = left_behind(settings)
            frozen.send_signal(signal.SIGCONT)
            stop(frozen)
            if bench.shop.jobs.find(job.id).status != "cancelled":
                wrong.append(f"it is {bench.shop.jobs.find(job.id).status}")
    if any(model.name == job.request.model for model in bench.shop.registry.models()):
        wrong.append("versions were registered")
    return Finding(seconds, wrong).at(hit)


FREEZES = (
    Scenario(worker_frozen),
    Scenario(machine_frozen),
    Scenario(cancel_under_a_frozen_worker, within=CANCEL_SECONDS),
)


def _frozen(bench: Bench, *, whole: bool) -> Finding:
    bench.shop.datasets.add(small_dataset(3000, name="longer"))
    job = bench.submit(families=("xgboost", "polynomial"), n_trials=LONGER, dataset="longer")
    with doomed(bench.settings) as frozen:
        hit = somewhere(bench, job, last=LONGER // 2)
        frozen.send_signal(signal.SIGSTOP)
        still = training_processes(bench.settings) if whole else []
        _signal(still, signal.SIGSTOP)
        begun = time.monotonic()
        before = finished_before(bench, job)
        try:
            with ready_worker(bench.settings):
                until(lambda: bench.shop.jobs.find(job.id).attempt == 2, PATIENCE)
                time.sleep(random.uniform(0, 6))
                _signal([frozen.pid, *still], signal.SIGCONT)
                bench.shop.wait(job, "succeeded", seconds=PATIENCE)
                seconds = time.monotonic() - begun
                finding = check(bench, job, before, seconds, trials=LONGER).at(hit)
        finally:
            _signal(still, signal.SIGCONT)
        if frozen.poll() is not None:
            finding.wrong.append("the worker that was frozen has ended")
        stop(frozen)
    if finding.tries != 2:
        finding.wrong.append(f"{finding.tries} attempts")
    return finding


def _signal(processes: Sequence[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)
