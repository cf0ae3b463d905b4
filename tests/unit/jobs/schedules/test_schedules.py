"""What schedules must do, on either database."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from sqlalchemy import Connection
from tests.drafts import draft, weighted
from tests.workers import Shop, small_dataset

from perfcast.datasets import Dataset
from perfcast.errors import InvalidInput, UnknownModel, UnknownSchedule
from perfcast.jobs import Job, Jobs, Plan, Schedules, Submissions
from perfcast.jobs.schedules import Retrain, Scheduler
from perfcast.jobs.schedules import _repository as repository
from perfcast.manifest import DataFacts, Draft
from perfcast.storage import now
from perfcast.workloads import builtin_workloads

MODEL = "cpu-utilization"
CPU = builtin_workloads()[MODEL]
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def schedules(shop: Shop) -> Schedules:
    """For a model that learnt from the 200 rows that the shop has."""
    shop.registry.add(MODEL, draft(CPU, weighted(CPU, request_rate=0.1)), dataset="simulated")
    return made(shop)


def made(shop: Shop) -> Schedules:
    submissions = Submissions(shop.datasets, shop.registry, builtin_workloads())
    return Schedules(shop.database, submissions, BERLIN)


@pytest.fixture
def scheduler(shop: Shop, schedules: Schedules) -> Scheduler:
    return Scheduler(schedules, shop.jobs)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def later(**time: float) -> datetime:
    return datetime.now(UTC) + timedelta(**time)


def finish(shop: Shop) -> None:
    """End whatever waits, as if it had been done."""
    while job := shop.jobs.claim("one"):
        shop.jobs.fail(job.fence, "not trained in this test")


def kinds(schedules: Schedules) -> list[tuple[str, str]]:
    return [(event["kind"], event["trigger"]) for event in reversed(schedules.history(MODEL))]


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


def test_a_disabled_schedule_never_fires_and_hears_no_signal(schedules: Schedules, scheduler: Scheduler) -> None:
    schedules.put(MODEL, Plan(cron="* * * * *", new_rows=1, drift=True, enabled=False))
    assert not schedules.signal(MODEL, "drift", "PSI 0.4")
    assert scheduler.look(later(days=2)) == []
    assert schedules.history(MODEL) == []


def test_it_fires_when_enough_rows_have_come_since_the_last_run(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    schedules.put(MODEL, Plan(new_rows=50))
    (first,) = scheduler.look()  # nobody knows what the version learnt from
    finish(shop)
    shop.datasets.add(small_dataset(249))
    assert scheduler.look(later(hours=2)) == []
    newest = shop.datasets.add(small_dataset(250))
    (job,) = scheduler.look(later(hours=2))
    assert (first.request.digest == newest.digest, job.request.digest == newest.digest) == (False, True)
    finish(shop)
    assert scheduler.look(later(hours=4)) == []
    assert "50 new rows of 'simulated' (250; the last run learnt from 200)" in schedules.history(MODEL)[0]["reason"]


def collected(first: int, rows: int = 200) -> Dataset:
    """Rows of a line of which old ones leave: one a minute."""
    whole = small_dataset(rows)
    minutes = np.arange(first, first + rows)
    moments = np.datetime64("2026-03-01T00:00", "us") + minutes * np.timedelta64(1, "m")
    return Dataset(whole.name, whole.workload, whole.features, whole.cost, moments)


@pytest.mark.parametrize("by", ["a run that failed", "a version"])
def test_rows_that_are_newer_count_where_the_line_does_not_grow(
    schedules: Schedules, scheduler: Scheduler, shop: Shop, by: str
) -> None:
    record = shop.datasets.add(collected(0))
    schedules.put(MODEL, Plan(new_rows=50))
    if by == "a version":
        theirs = draft(CPU, weighted(CPU, request_rate=0.2))
        until = "2026-03-01T03:19:00.000000Z"
        facts = DataFacts("simulated", record.digest, 200, 200, {"train": 169}, "time", until)
        shop.registry.add(
            MODEL, Draft(theirs.graph, msgspec.structs.replace(theirs.manifest, data=facts)), dataset="simulated"
        )
    else:
        assert len(scheduler.look()) == 1
        finish(shop)
    shop.datasets.add(collected(49))
    assert scheduler.look(later(hours=2)) == []
    newest = shop.datasets.add(collected(50))
    (job,) = scheduler.look(later(hours=2))
    assert job.request.digest == newest.digest
    assert "50 new rows of 'simulated' (200; the last run learnt from 200)" in schedules.history(MODEL)[0]["reason"]
    finish(shop)
    assert scheduler.look(later(hours=4)) == []


@pytest.mark.parametrize(("line", "runs"), [("simulated", 0), ("shop", 1)])
def test_rows_that_a_run_of_somebody_else_learnt_from_are_not_new_unless_of_another_line(
    schedules: Schedules, scheduler: Scheduler, shop: Shop, line: str, runs: int
) -> None:
    schedules.put(MODEL, Plan(new_rows=50))
    record = shop.datasets.add(small_dataset(260))
    theirs = draft(CPU, weighted(CPU, request_rate=0.2))
    facts = DataFacts(line, record.digest, 260, 260, {"train": 169}, "hash")
    manifest = msgspec.structs.replace(theirs.manifest, data=facts)
    shop.registry.add(MODEL, Draft(theirs.graph, manifest), dataset="simulated")
    assert len(scheduler.look()) == runs


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


def test_a_scheduler_that_saw_the_schedule_before_another_fired_submits_nothing(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    from perfcast.jobs.schedules._scheduler import _Due

    stale = schedules.put(MODEL, Plan(drift=True))
    schedules.signal(MODEL, "drift", "PSI 0.4")
    assert len(scheduler.look()) == 1
    finish(shop)
    assert scheduler._fire(stale, _Due("drift", "seen earlier"), later(hours=2)) is None
    assert shop.jobs.page()[1] == 1


def test_a_plan_that_can_no_longer_be_carried_out_is_noted_and_others_go_on(
    schedules: Schedules, scheduler: Scheduler, shop: Shop
) -> None:
    from perfcast.storage import schema

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
