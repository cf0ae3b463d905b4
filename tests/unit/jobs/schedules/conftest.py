"""A model with a schedule, and somebody who looks whether it is due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.drafts import draft, weighted
from tests.workers import Shop

from perfcast.jobs import Schedules, Submissions
from perfcast.jobs.schedules import Scheduler
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
