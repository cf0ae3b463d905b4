"""Runs that are due by the clock."""

from datetime import timedelta

import pytest
from tests.unit.jobs.schedules.conftest import MODEL, berlin, finish, kinds
from tests.workers import Shop

from perfcast.jobs import Plan, Schedules
from perfcast.jobs.schedules import Retrain, Scheduler


def test_cron_fires_once_when_it_is_due_and_not_before(schedules: Schedules, scheduler: Scheduler, shop: Shop) -> None:
    schedules.put(MODEL, Plan(cron="0 3 * * *", request=Retrain(n_trials=3)), berlin("2026-01-10T23:30"))
    assert schedules.document(schedules.find(MODEL))["next_at"] == "2026-01-11T02:00:00.000000Z"
    assert scheduler.look(berlin("2026-01-11T02:59:59")) == []
    (job,) = scheduler.look(berlin("2026-01-11T03:00"))
    newest = shop.datasets.find("simulated")
    assert (job.status, job.request.model, job.request.n_trials) == ("queued", MODEL, 3)
    assert job.request.digest == newest.digest
    finish(shop)
    assert scheduler.look(berlin("2026-01-12T02:59:59")) == []
    assert len(scheduler.look(berlin("2026-01-12T03:00"))) == 1
    kept = schedules.find(MODEL)
    assert (kept.last_digest, kept.last_rows) == (newest.digest, 200)
    assert kinds(schedules) == [("fired", "cron"), ("fired", "cron")]


@pytest.mark.parametrize("night", ["2026-01-15", "2026-03-29", "2026-10-25", "2028-02-29", "2026-12-31"])
def test_a_time_that_was_missed_is_made_up_for_once(
    schedules: Schedules, scheduler: Scheduler, shop: Shop, night: str
) -> None:
    at = berlin(f"{night}T00:30")
    schedules.put(MODEL, Plan(cron="0 3 * * *"), at - timedelta(days=5))
    assert len(scheduler.look(at)) == 1
    finish(shop)
    due = berlin(f"{night}T03:00")
    assert scheduler.look(due - timedelta(seconds=1)) == []
    assert len(scheduler.look(due)) == 1
