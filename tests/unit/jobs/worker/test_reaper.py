"""Workers that are gone are noticed, and living ones are left alone."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tests.patience import PATIENCE_SECONDS, until
from tests.services import postgres_server
from tests.workers import CANCELLED_SECONDS, Shop, small_dataset

from perfcast.errors import Unavailable
from perfcast.jobs import Job
from perfcast.jobs.queue._job import Status
from perfcast.jobs.worker._liveness import Liveness
from perfcast.jobs.worker._reaper import Reaper
from perfcast.settings import load_settings

SOON = 0.05
"""Seconds a heartbeat may stand still; however slow the machine, a reaper must see it do so in three looks."""
HOLD = """
import sys, time, pathlib
from perfcast.jobs.worker._liveness import Liveness
liveness = Liveness(pathlib.Path(sys.argv[1]))
liveness.hold("other")
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def running(shop: Shop) -> Job:
    shop.submit()
    job = shop.jobs.claim("other")
    assert job is not None
    return job


@pytest.fixture
def liveness(tmp_path: Path) -> Liveness:
    return Liveness(tmp_path / "workers")


def test_a_heartbeat_that_stands_still_gives_the_job_back(shop: Shop, running: Job, liveness: Liveness) -> None:
    reaper = Reaper(shop.jobs, liveness, stale_seconds=SOON)
    assert reaper.look() == []
    assert until(reaper.look) == [running.id]
    back = shop.jobs.find(running.id)
    assert (back.status, back.tries) == ("queued", 1)
    assert "other" in str(back.error)


def test_a_heartbeat_that_moves_keeps_the_job(shop: Shop, running: Job, liveness: Liveness) -> None:
    reaper = Reaper(shop.jobs, liveness, stale_seconds=SOON)
    until = time.monotonic() + 10 * SOON
    while time.monotonic() < until:
        shop.jobs.beat(running.fence, spent_seconds=0)
        assert reaper.look() == []


def test_a_worker_whose_process_was_killed_is_known_dead_at_once(shop: Shop, running: Job, tmp_path: Path) -> None:
    folder = tmp_path / "workers"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    reaper = Reaper(shop.jobs, Liveness(folder), stale_seconds=60)
    assert reaper.look() == []
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert reaper.look() == [running.id]
    assert not list(folder.glob("*.lock"))


def test_a_database_that_goes_after_the_first_job_of_a_dead_worker_delays_the_second_no_longer_than_it_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(load_settings(data_dir=tmp_path))
    shop.datasets.add(small_dataset(200))
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "workers"], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    jobs = [shop.submit(model_name=name).id for name in ("a", "b")]
    assert [shop.jobs.claim("other") is not None for _ in jobs] == [True, True]
    holder.kill()
    holder.wait()
    retry, asked = shop.jobs.retry, count()

    def retry_but_once(*given: Any, **named: Any) -> Status:
        if next(asked) == 1:
            raise Unavailable("gone")
        return retry(*given, **named)

    monkeypatch.setattr(shop.jobs, "retry", retry_but_once)
    reaper = Reaper(shop.jobs, Liveness(tmp_path / "workers"), stale_seconds=60)
    with pytest.raises(Unavailable):
        reaper.look()
    assert reaper.look() == jobs[1:]
    assert not list((tmp_path / "workers").glob("*.lock"))
    shop.close()


def test_a_worker_that_was_killed_while_it_had_nothing_to_do_leaves_no_lock(shop: Shop, tmp_path: Path) -> None:
    folder = tmp_path / "workers"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    liveness = Liveness(folder)
    liveness.hold("mine")
    reaper = Reaper(shop.jobs, liveness, stale_seconds=60)
    reaper.look()
    assert sorted(path.stem for path in folder.glob("*.lock")) == ["mine", "other"]
    holder.kill()
    holder.wait()
    reaper.look()
    assert [path.stem for path in folder.glob("*.lock")] == ["mine"]
    liveness.release("mine")


def test_a_database_that_stands_still_costs_no_attempt(tmp_path: Path) -> None:
    with postgres_server() as server:
        shop = Shop(load_settings(data_dir=tmp_path, database_url=server.url))
        shop.datasets.add(small_dataset(200))
        shop.submit()
        running = shop.jobs.claim("other")
        assert running is not None
        reaper = Reaper(shop.jobs, Liveness(tmp_path / "workers"), stale_seconds=SOON)
        for _ in range(3):
            assert reaper.look() == []
            with ThreadPoolExecutor(1) as pool:
                with server.standing_still():
                    look = pool.submit(reaper.look)
                    assert not wait([look], timeout=10 * SOON).done
                assert look.result(PATIENCE_SECONDS) == []
            shop.jobs.beat(running.fence, spent_seconds=0)
        assert shop.jobs.find(running.id).attempt == 1
        assert until(reaper.look) == [running.id]
        shop.close()


def test_a_reaper_that_stood_still_itself_takes_nobodys_job(shop: Shop, running: Job, liveness: Liveness) -> None:
    reaper = Reaper(shop.jobs, liveness, stale_seconds=SOON)
    assert reaper.look() == []
    begun = time.monotonic()
    until(lambda: time.monotonic() - begun > 10 * SOON)
    assert reaper.look() == []
    shop.jobs.beat(running.fence, spent_seconds=0)
    assert reaper.look() == []
    assert until(reaper.look) == [running.id]


def test_a_cancellation_that_its_worker_ignores_is_done_by_the_reaper(
    shop: Shop, running: Job, liveness: Liveness
) -> None:
    shop.jobs.cancel(running.id)
    reaper = Reaper(shop.jobs, liveness, stale_seconds=60)
    assert until(reaper.look) == [running.id]
    assert shop.wait_until_cancelled(running) < CANCELLED_SECONDS
    assert shop.jobs.find(running.id).status == "cancelled"


def test_two_reapers_give_a_job_back_once(shop: Shop, running: Job, liveness: Liveness) -> None:
    reapers = [Reaper(shop.jobs, liveness, stale_seconds=SOON) for _ in range(2)]
    taken = until(lambda: [job for reaper in reapers for job in reaper.look()])
    assert taken + [job for reaper in reapers for job in reaper.look()] == [running.id]
    assert shop.jobs.find(running.id).tries == 1
