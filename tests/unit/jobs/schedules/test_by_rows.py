"""Runs that are due since rows have come."""

import msgspec
import numpy as np
import pytest
from tests.drafts import draft, weighted
from tests.unit.jobs.schedules.conftest import CPU, MODEL, finish, later
from tests.workers import Shop, small_dataset

from perfcast.datasets import Dataset
from perfcast.jobs import Plan, Schedules
from perfcast.jobs.schedules import Scheduler
from perfcast.manifest import DataFacts, Draft


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
