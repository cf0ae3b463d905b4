"""What schedules must do, on either database."""

from typing import Any

import msgspec
import pytest
from tests.drafts import draft, weighted
from tests.unit.jobs.schedules.conftest import CPU, MODEL, berlin, finish, later
from tests.workers import Shop, small_dataset

from perfcast.errors import InvalidInput, UnknownModel, UnknownSchedule
from perfcast.jobs import Plan, Schedules
from perfcast.jobs.schedules import Retrain, Scheduler
from perfcast.jobs.schedules import _repository as repository
from perfcast.storage import now, schema


def test_a_schedule_is_set_found_listed_replaced_and_removed(schedules: Schedules) -> None:
    plan = Plan(cron="0  3 * * *", new_rows=10, request=Retrain(n_trials=7, families=("polynomial",)))
    kept = schedules.put(MODEL, plan)
    assert kept.plan == msgspec.structs.replace(plan, cron="0 3 * * *")
    assert schedules.find(MODEL) == kept
    assert schedules.every() == [kept]
    assert schedules.put(MODEL, Plan(drift=True)).plan == Plan(drift=True)
    schedules.remove(MODEL)
    assert schedules.every() == []
    for gone in (schedules.find, schedules.remove):
        with pytest.raises(UnknownSchedule, match="perfcast schedules set"):
            gone(MODEL)


def test_putting_the_same_again_changes_nothing(schedules: Schedules) -> None:
    plan = Plan(cron="0 3 * * *")
    assert schedules.put(MODEL, plan) == schedules.put(MODEL, plan)


def test_what_is_wrong_is_named(schedules: Schedules) -> None:
    wrong = [
        (Plan(), "cron"),
        (Plan(cron="61 * * * *"), "cron"),
        (Plan(new_rows=0), "new_rows"),
        (Plan(drift=True, minimum_interval_seconds=0), "minimum_interval_seconds"),
        (Plan(drift=True, minimum_interval_seconds=float("nan")), "minimum_interval_seconds"),
        (Plan(drift=True, request=Retrain(families=("xgbost",))), "families"),
        (Plan(drift=True, most_per_day=0), "most_per_day"),
        (Plan(drift=True, least_new_rows=-1), "least_new_rows"),
        (Plan(drift=True, request=Retrain(n_trials=0)), "n_trials"),
        (Plan(drift=True, request=Retrain(dataset="simulated@abc")), "dataset"),
        (Plan(drift=True, request=Retrain(dataset="nothing")), "dataset"),
    ]
    for plan, field in wrong:
        with pytest.raises(InvalidInput) as raised:
            schedules.put(MODEL, plan)
        assert [error.field for error in raised.value.fields] == [field]
    assert schedules.every() == []


def test_a_model_that_does_not_exist_has_no_schedule_and_no_history(schedules: Schedules) -> None:
    with pytest.raises(UnknownModel, match=MODEL):
        schedules.put("cpu-utilisation", Plan(drift=True))
    with pytest.raises(UnknownModel):
        schedules.history("cpu-utilisation")


def test_firings_are_counted_from_the_moment_that_a_schedule_has_the_trigger(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    schedules.put(MODEL, Plan(cron="0 3 * * *", drift=True), berlin("2026-01-10T23:30"))
    with shop.database.read() as connection:
        counts = repository.fired_counts(connection)
    assert counts == {(MODEL, "cron"): 0, (MODEL, "drift"): 0, (MODEL, "accuracy"): 0}
    scheduler.look(berlin("2026-01-11T03:00"))
    with shop.database.read() as connection:
        assert repository.fired_counts(connection)[MODEL, "cron"] == 1


def test_a_disabled_schedule_never_fires_and_hears_no_signal(schedules: Schedules, scheduler: Scheduler) -> None:
    schedules.put(MODEL, Plan(cron="* * * * *", new_rows=1, drift=True, enabled=False))
    assert not schedules.signal(MODEL, "drift", "PSI 0.4")
    assert scheduler.look(later(days=2)) == []
    assert schedules.history(MODEL) == []


def test_the_newest_events_of_a_model_are_kept(
    schedules: Schedules, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "KEPT_EVENTS", 3)
    with shop.database.begin() as connection:
        for number in range(5):
            for model in (MODEL, "another"):
                repository.add_event(connection, model, "signal", "drift", f"{number}", at=now())
    assert [event["reason"] for event in schedules.history(MODEL)] == ["4", "3", "2"]
    assert [event["reason"] for event in schedules.history("another")] == ["4", "3", "2"]


def test_a_plan_that_can_no_longer_be_carried_out_is_noted_and_others_go_on(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    shop.datasets.add(small_dataset(90, name="shop"))
    shop.registry.add("another", draft(CPU, weighted(CPU)), dataset="simulated")
    schedules.put("another", Plan(drift=True, request=Retrain(dataset="shop")))
    schedules.put(MODEL, Plan(drift=True))
    with shop.database.begin() as connection:
        connection.execute(schema.dataset.delete().where(schema.dataset.c.name == "shop"))
    for model in ("another", MODEL):
        schedules.signal(model, "drift", "PSI 0.4")
    assert [job.request.model for job in scheduler.look()] == [MODEL]
    assert "unknown dataset 'shop'" in (schedules.find("another").held_back or "")


def test_the_history_says_what_became_of_each_job(schedules: Schedules, scheduler: Scheduler, shop: Shop) -> None:
    schedules.put(MODEL, Plan(drift=True))
    schedules.signal(MODEL, "drift", "PSI 0.4")
    (job,) = scheduler.look()
    finish(shop)
    event: dict[str, Any] = schedules.history(MODEL)[0]
    assert event["job_id"] == job.id
    assert (event["kind"], event["job_status"], event["error"]) == ("fired", "failed", "not trained in this test")
    schedules.remove(MODEL)
    assert len(schedules.history()) == 2
