"""Jobs whose processes hang: training that never ends, and workers that are frozen."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from tests.integration.test_jobs import LONG
from tests.patience import until
from tests.workers import CANCELLED_SECONDS, Shop, small_dataset, start_worker, training_process, working

from perfcast.jobs.worker import Worker
from perfcast.settings import load_settings

NEVER_ENDS = """
import sys, threading
if "perfcast.jobs.worker._child" in sys.orig_argv:
    threading.Thread(target=threading.Event().wait).start()
"""


@pytest.fixture
def usual_shop(tmp_path: Path) -> Iterator[Shop]:
    """With the intervals that an operator gets who sets none."""
    shop = Shop(load_settings(data_dir=tmp_path))
    shop.datasets.add(small_dataset())
    yield shop
    shop.close()


@contextmanager
def working_here(shop: Shop) -> Iterator[None]:
    """A worker in a thread of this process."""
    worker = Worker(shop.settings, shop.jobs, shop.transport, threads=1)
    thread = Thread(target=worker.run)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()


def test_a_training_process_that_hangs_when_all_is_done_is_ended_and_its_job_succeeds(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of some library that is never told to end keeps Python from exiting."""
    (tmp_path / "never").mkdir()
    (tmp_path / "never" / "sitecustomize.py").write_text(NEVER_ENDS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "never"), *sys.path]))
    with working_here(shop):
        job = shop.submit(families=("polynomial",), n_trials=1)
        done = shop.wait(job, "succeeded")
    assert (done.tries, done.model_version) == (1, 1)
    assert training_process(job) is None


def test_a_training_process_that_stands_still_is_ended_some_time_after_its_limit_and_begun_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perfcast.jobs.worker._supervision.LIMIT_GRACE_SECONDS", 1.0)
    with working_here(shop):
        job = shop.submit(timeout_seconds=1, **LONG)
        first = until(lambda: training_process(shop.wait(job, "running")))
        os.kill(first, signal.SIGSTOP)
        back = until(lambda: now if (now := shop.jobs.find(job.id)).error else None, 30)
        assert "time limit" in str(back.error)
        assert training_process(job) != first


def test_a_cancelled_job_ends_soon_though_its_worker_is_frozen(usual_shop: Shop) -> None:
    """Whichever part of its interval the other worker is in."""
    shop = usual_shop
    job = shop.submit(**LONG)
    frozen = start_worker(shop.settings)
    try:
        shop.wait_for_trials(job, 2)
        log = shop.settings.data_dir / "other.log"
        other = start_worker(shop.settings, log)
        try:
            until(lambda: "worker ready" in log.read_text())
            frozen.send_signal(signal.SIGSTOP)
            shop.jobs.cancel(job.id)
            assert shop.wait_until_cancelled(job) < CANCELLED_SECONDS
            until(lambda: training_process(job) is None, 20)
        finally:
            other.kill()
            other.wait()
    finally:
        frozen.kill()
        frozen.wait()
    assert shop.jobs.find(job.id).status == "cancelled"


def test_a_cancelled_training_process_ends_though_its_worker_is_frozen_and_nobody_else_is_there(
    usual_shop: Shop,
) -> None:
    shop = usual_shop
    with working(shop.settings) as worker:
        job = shop.submit(**LONG)
        shop.wait_for_trials(job, 1)
        worker.send_signal(signal.SIGSTOP)
        try:
            shop.jobs.cancel(job.id)
            until(lambda: training_process(job) is None, 20)
        finally:
            worker.send_signal(signal.SIGCONT)
        shop.wait(job, "cancelled")
