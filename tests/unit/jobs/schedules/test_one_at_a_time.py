"""A model has one run at a time, however many schedulers there are."""

from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest
from sqlalchemy import Connection
from tests.unit.jobs.schedules.conftest import MODEL, finish, kinds, later, made
from tests.workers import Shop

from perfcast.jobs import Job, Jobs, Plan, Schedules
from perfcast.jobs.schedules import Scheduler
from perfcast.jobs.schedules._scheduler import _Due


@pytest.mark.parametrize("status", ["queued", "running"])
def test_it_waits_while_a_job_of_the_model_is_unfinished(
    schedules: Schedules, scheduler: Scheduler, shop: Shop, status: str
) -> None:
    mine = shop.submit()
    if status == "running":
        assert shop.jobs.claim("one") is not None
    schedules.put(MODEL, Plan(drift=True))
    schedules.signal(MODEL, "drift", "PSI 0.4")
    assert [scheduler.look() for _ in range(3)] == [[], [], []]
    assert schedules.find(MODEL).held_back == f"job {mine.id} of this model is {status}"
    assert kinds(schedules) == [("signal", "drift"), ("held_back", "drift")]
    if status == "running":
        shop.jobs.fail(shop.jobs.find(mine.id).fence, "over")
    else:
        shop.jobs.cancel(mine.id)
    assert len(scheduler.look()) == 1
    assert schedules.find(MODEL).held_back is None


def test_a_job_of_another_model_holds_nothing_back(schedules: Schedules, scheduler: Scheduler, shop: Shop) -> None:
    shop.submit(model_name="other", dataset="simulated")
    schedules.put(MODEL, Plan(drift=True))
    schedules.signal(MODEL, "drift", "PSI 0.4")
    assert len(scheduler.look()) == 1


def test_of_many_schedulers_racing_exactly_one_fires(schedules: Schedules, shop: Shop) -> None:
    schedules.put(MODEL, Plan(drift=True, minimum_interval_seconds=1))

    def race(_: int) -> int:
        return len(Scheduler(made(shop), Jobs(shop.database)).look())

    with ThreadPoolExecutor(4) as pool:
        assert schedules.signal(MODEL, "drift", "PSI 0.4")
        assert sum(pool.map(race, range(12))) == 1
    assert shop.jobs.page()[1] == 1
    assert [event["kind"] for event in schedules.history(MODEL)].count("fired") == 1


def test_a_schedule_waits_for_a_submission_that_has_not_been_committed_yet(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    schedules.put(MODEL, Plan(drift=True))
    schedules.signal(MODEL, "drift", "PSI 0.4")
    with ThreadPoolExecutor(1) as pool:
        looks: list[Future[list[Job]]] = []

        def look_meanwhile(_connection: Connection, _job: str) -> None:
            looks.append(pool.submit(scheduler.look))
            assert not wait(looks, timeout=0.7).done

        mine = shop.jobs.submit(shop.complete(), within=look_meanwhile)
        assert looks[0].result(30) == []
    assert [job.id for job in shop.jobs.page()[0]] == [mine.id]
    assert scheduler.look() == []
    assert schedules.find(MODEL).held_back == f"job {mine.id} of this model is queued"


def test_a_scheduler_that_saw_the_schedule_before_another_fired_submits_nothing(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    stale = schedules.put(MODEL, Plan(drift=True))
    schedules.signal(MODEL, "drift", "PSI 0.4")
    assert len(scheduler.look()) == 1
    finish(shop)
    assert scheduler._fire(stale, _Due("drift", "seen earlier"), later(hours=2)) is None
    assert shop.jobs.page()[1] == 1
