"""Runs that monitoring asks for."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.unit.jobs.schedules.conftest import MODEL, finish, kinds, later
from tests.workers import Shop, small_dataset

from perfcast.errors import InvalidInput
from perfcast.jobs import Plan, Schedules
from perfcast.jobs.schedules import Retrain, Scheduler


def test_a_signal_that_waits_outlasts_a_change_of_the_schedule(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    schedules.put(MODEL, Plan(drift=True))
    assert schedules.signal(MODEL, "drift", "PSI 0.4")
    changed = schedules.put(MODEL, Plan(drift=True, request=Retrain(n_trials=7)))
    assert (changed.signal, changed.signal_reason) == ("drift", "PSI 0.4")
    (job,) = scheduler.look()
    assert job.request.n_trials == 7
    finish(shop)


def test_a_signal_is_forgotten_where_a_schedule_listens_no_longer(schedules: Schedules) -> None:
    schedules.put(MODEL, Plan(drift=True))
    assert schedules.signal(MODEL, "drift", "PSI 0.4")
    assert schedules.put(MODEL, Plan(cron="0 3 * * *")).signal is None
    assert schedules.put(MODEL, Plan(cron="0 3 * * *", drift=True)).signal is None


def test_a_signal_fires_once_however_often_it_comes(schedules: Schedules, scheduler: Scheduler, shop: Shop) -> None:
    assert not schedules.signal(MODEL, "drift", "nobody listens")
    schedules.put(MODEL, Plan(drift=True))
    for number in range(3):
        assert schedules.signal(MODEL, "accuracy", f"MAE 4.{number}, 2.0 when it was promoted")
    assert len(scheduler.look()) == 1
    finish(shop)
    assert scheduler.look(later(hours=2)) == []
    assert kinds(schedules) == [("signal", "accuracy"), ("fired", "accuracy")]
    assert "MAE 4.0" in (schedules.find(MODEL).last_reason or "")
    with pytest.raises(InvalidInput, match="drift, accuracy"):
        schedules.signal(MODEL, "mood", "bad")  # type: ignore[arg-type]


def test_a_flapping_trigger_is_rate_limited_and_the_history_says_so_once(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    schedules.put(MODEL, Plan(drift=True, minimum_interval_seconds=600))
    begun, fired = datetime.now(UTC), 0
    for minute in range(30):
        schedules.signal(MODEL, "drift", f"PSI 0.{minute}")
        fired += len(scheduler.look(begun + timedelta(minutes=minute)))
        finish(shop)
    assert fired == 3
    usual = [("signal", "drift"), ("fired", "drift")]
    waited = [("signal", "drift"), ("held_back", "drift"), ("fired", "drift")]
    assert kinds(schedules) == usual + waited + waited + waited[:2]
    assert "at most one in 600 s" in (schedules.find(MODEL).held_back or "")


def test_signals_alone_begin_so_many_runs_a_day_and_another_trigger_more(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    plan = Plan(drift=True, minimum_interval_seconds=1, most_per_day=2)
    schedules.put(MODEL, plan)
    begun, fired = datetime.now(UTC), []
    for hour in range(30):
        schedules.signal(MODEL, "accuracy", "mean error 3 times what is usual")
        fired += [hour] * len(scheduler.look(begun + timedelta(hours=hour)))
        finish(shop)
    assert fired == [0, 1, 24, 25]
    assert schedules.find(MODEL).held_back == "signals began 2 runs within 24 hours: at most 2"
    schedules.put(MODEL, msgspec.structs.replace(plan, cron="* * * * *"), begun + timedelta(hours=29))
    assert len(scheduler.look(begun + timedelta(hours=29, minutes=5))) == 1


def test_a_signal_waits_for_new_rows(schedules: Schedules, scheduler: Scheduler, shop: Shop) -> None:
    schedules.put(MODEL, Plan(drift=True, minimum_interval_seconds=1, least_new_rows=50))
    schedules.signal(MODEL, "drift", "30 % of the rows are outside what was learnt")
    assert len(scheduler.look()) == 1
    finish(shop)
    schedules.signal(MODEL, "drift", "30 % of the rows are outside what was learnt")
    assert scheduler.look(later(hours=1)) == []
    assert "fewer than 50 new rows" in (schedules.find(MODEL).held_back or "")
    shop.datasets.add(small_dataset(250))
    assert len(scheduler.look(later(hours=2))) == 1
