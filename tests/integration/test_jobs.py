"""Real workers and real training processes: run, cancelled, killed, drained, continued."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.patience import until
from tests.workers import (
    CANCELLED_SECONDS,
    Shop,
    finished_trials,
    fit_processes,
    repeated_trials,
    small_dataset,
    start_worker,
    stop,
    training_process,
    training_processes,
    working,
)

from perfcast.jobs import Job
from perfcast.processors import processors

LONG = {"families": ("xgboost",), "n_trials": 500}
TRIALS = 14
SHORT = {"families": ("xgboost", "polynomial"), "n_trials": TRIALS}
"""So many trials that they run in processes of their own where there are several processors."""


def keeps_all(shop: Shop, job: Job, before: dict[int, tuple[str, object]]) -> bool:
    """Whether every trial that had finished still counts, all have finished, and none has done so twice."""
    after = finished_trials(shop.settings, job)
    return before.items() <= after.items() and len(after) == TRIALS and repeated_trials(shop.settings, job) == []


def wait_for_fits(shop: Shop, job: Job, trials: int) -> None:
    """Wait until so many trials have finished and others run."""
    shop.wait_for_trials(job, trials)
    assert fit_processes(shop.settings) or processors() == 1


def test_a_job_is_trained_registered_and_judged(either_shop: Shop) -> None:
    with working(either_shop.settings):
        job = either_shop.submit(**SHORT)
        done = either_shop.wait(job, "succeeded")
    assert done.versions is not None
    assert done.model_version == max(done.versions) == len(done.versions)
    assert done.outcome.startswith("promoted")
    assert (done.progress.share, done.progress.trial, done.tries) == (1.0, TRIALS, 1)
    assert [trial["trial"] for trial in done.trials()] == list(range(1, TRIALS + 1))
    assert either_shop.registry.model("cpu-utilization").aliases == {"champion": done.model_version}


def test_a_job_starts_from_the_version_that_it_names(shop: Shop) -> None:
    shop.datasets.add(small_dataset(400, name="elsewhere"))
    with working(shop.settings):
        shop.wait(shop.submit(dataset="simulated", families=("polynomial",), n_trials=1), "succeeded")
        asked = {"dataset": "elsewhere", "model_name": "elsewhere", "families": ("xgboost",), "n_trials": 1}
        done = shop.wait(shop.submit(base="cpu-utilization", **asked), "succeeded")
    assert done.request.base == "cpu-utilization:1"
    assert shop.registry.version("elsewhere", 1).manifest.base == "cpu-utilization:1"


def test_a_worker_killed_in_a_trial_is_followed_by_one_that_repeats_none(either_shop: Shop) -> None:
    settings = either_shop.settings
    job = either_shop.submit(**SHORT)
    first = start_worker(settings)
    wait_for_fits(either_shop, job, 3)
    first.kill()
    first.wait()
    until(lambda: not training_processes(settings), 5)
    before = finished_trials(settings, job)
    assert len(before) >= 3
    with working(settings):
        done = either_shop.wait(job, "succeeded")
        until(lambda: not training_processes(settings), 5)
    assert keeps_all(either_shop, job, before)
    assert (done.tries, len(either_shop.registry.versions("cpu-utilization"))) == (2, len(done.versions or ()))


def test_a_killed_training_process_is_begun_again_and_repeats_no_trial(shop: Shop) -> None:
    with working(shop.settings):
        job = shop.submit(**SHORT)
        wait_for_fits(shop, job, 3)
        process = training_process(job)
        assert process is not None
        theirs = fit_processes(shop.settings)
        os.kill(process, signal.SIGKILL)
        until(lambda: not set(theirs).intersection(fit_processes(shop.settings)), 5)
        before = finished_trials(shop.settings, job)
        done = shop.wait(job, "succeeded")
        until(lambda: not training_processes(shop.settings), 5)
    assert keeps_all(shop, job, before)
    assert done.tries == 2


def test_a_stopped_worker_hands_its_job_back_and_the_next_one_continues_it(shop: Shop) -> None:
    job = shop.submit(**SHORT)
    first = start_worker(shop.settings)
    wait_for_fits(shop, job, 3)
    assert stop(first) < 12
    back = shop.jobs.find(job.id)
    assert (first.returncode, back.status, back.tries) == (0, "queued", 0)
    until(lambda: not training_processes(shop.settings), 5)
    before = finished_trials(shop.settings, job)
    with working(shop.settings):
        done = shop.wait(job, "succeeded")
    assert keeps_all(shop, job, before)
    assert done.tries == 1


@pytest.mark.parametrize("trials", [0, 2], ids=["while it is prepared", "in its third trial"])
def test_a_running_job_ends_soon_after_its_cancellation(shop: Shop, trials: int) -> None:
    with working(shop.settings):
        job = shop.submit(**LONG)
        shop.wait(job, "running")
        shop.wait_for_trials(job, trials)
        shop.jobs.cancel(job.id)
        assert shop.wait_until_cancelled(job) < CANCELLED_SECONDS
        until(lambda: not training_processes(shop.settings), 20)
    assert shop.registry.models() == []


def test_a_training_process_that_answers_nothing_is_made_to_end_in_time(shop: Shop) -> None:
    with working(shop.settings):
        job = shop.submit(**LONG)
        process = until(lambda: training_process(shop.wait(job, "running")))
        os.kill(process, signal.SIGSTOP)
        shop.jobs.cancel(job.id)
        assert shop.wait_until_cancelled(job) < CANCELLED_SECONDS
        until(lambda: not training_processes(shop.settings), 20)


def test_a_worker_that_froze_and_comes_back_is_shut_out(shop: Shop) -> None:
    job = shop.submit(families=("xgboost", "polynomial"), n_trials=24)
    frozen = start_worker(shop.settings)
    shop.wait_for_trials(job, 2)
    frozen.send_signal(signal.SIGSTOP)
    with working(shop.settings):
        until(lambda: shop.jobs.find(job.id).tries == 2)
        frozen.send_signal(signal.SIGCONT)
        done = shop.wait(job, "succeeded")
        until(lambda: not training_processes(shop.settings), 5)
    assert stop(frozen) < 12
    assert (done.tries, len(shop.registry.versions("cpu-utilization"))) == (2, len(done.versions or ()))
    assert (len(finished_trials(shop.settings, job)), repeated_trials(shop.settings, job)) == (24, [])


def test_a_job_that_can_not_be_trained_says_why_and_is_not_tried_again(shop: Shop) -> None:
    shop.datasets.add(small_dataset(12, name="few"))
    with working(shop.settings):
        job = shop.submit(dataset="few", n_trials=2)
        failed = until(lambda: found if (found := shop.jobs.find(job.id)).finished else None, 60)
    assert (failed.status, failed.tries) == ("failed", 1)
    assert "rows" in str(failed.error)


ATTACHED = """
import time
from perfcast.processes import attached
from perfcast.settings import load_settings
with attached("worker", load_settings().child_environment) as worker:
    print(worker.process.pid, flush=True)
    time.sleep(60)
"""


def test_a_worker_that_belongs_to_a_process_ends_with_it_also_when_that_is_killed(shop: Shop) -> None:
    environment = os.environ | shop.settings.environment | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with (shop.settings.data_dir / "worker.log").open("wb") as log:
        command = [sys.executable, "-c", ATTACHED]
        owner = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log)
        assert owner.stdout is not None
        worker = int(owner.stdout.readline())
        job = shop.submit(**LONG)
        shop.wait_for_trials(job, 1)
        owner.kill()
        owner.wait()
    until(lambda: not Path(f"/proc/{worker}/cmdline").exists() or not Path(f"/proc/{worker}/cmdline").read_bytes(), 15)
    back = shop.jobs.find(job.id)
    assert (back.status, back.tries) == ("queued", 0)


def test_a_store_that_is_out_of_order_for_two_attempts_fails_no_job(either_shop: Shop) -> None:
    store, away = Path(either_shop.settings.artifacts_address), either_shop.settings.data_dir / "away"
    store.rename(away)
    store.touch()  # so that nothing in it can be reached, though its disk is there
    with working(either_shop.settings):
        job = either_shop.submit(**SHORT)
        waiting = until(lambda: found if (found := either_shop.jobs.find(job.id)).retry_at else None)
        assert "can't be read" in str(waiting.error)
        assert "tried again at" in str(waiting.error)
        until(lambda: either_shop.jobs.find(job.id).tries == 2)
        store.unlink()
        away.rename(store)
        done = either_shop.wait(job, "succeeded")
    assert done.tries in {2, 3}


def test_a_job_that_waits_for_its_next_attempt_holds_up_neither_other_jobs_nor_its_worker(shop: Shop) -> None:
    settings = shop.settings.model_copy(update={"job_retry_seconds": 60.0})
    shop.datasets.add(small_dataset(300, name="second"))
    lost = shop.datasets.find("second")
    path = Path(settings.artifacts_address) / lost.blob[:2] / lost.blob
    path.rename(path.with_name("away"))
    path.mkdir()  # can't be read, but isn't missing
    worker = start_worker(settings)
    waits = shop.submit(dataset="second", **SHORT)
    until(lambda: shop.jobs.find(waits.id).retry_at)
    shop.wait(shop.submit(model_name="another", dataset="simulated", **SHORT), "succeeded")
    stop(worker)
    assert shop.jobs.find(waits.id).status == "queued"
    assert shop.jobs.cancel(waits.id).status == "cancelled"
