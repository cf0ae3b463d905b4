"""KEDA's query, as the manifest has it, on real rows: how many workers can be busy."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.services import empty
from tests.unit.deploy.manifests import of_kind, overlay
from tests.workers import IMPATIENT, Shop, small_dataset

from perfcast.settings import load_settings


@pytest.fixture
def shop(tmp_path: Path, migrated_postgres_url: str) -> Iterator[Shop]:
    given = IMPATIENT | {"database_url": migrated_postgres_url, "job_retry_seconds": 600.0}
    shop = Shop(load_settings(data_dir=tmp_path, **given))
    empty(shop.database)
    shop.datasets.add(small_dataset(200))
    yield shop
    shop.close()
    empty(shop.database)


def wanted(shop: Shop) -> int:
    """Workers that KEDA would want, reached by the address as the Secret has it."""
    [trigger] = of_kind(overlay("prod"), "ScaledObject")["perfcast-worker"]["spec"]["triggers"]
    with psycopg.connect(shop.settings.database_url) as connection:
        [(count,)] = connection.execute(trigger["metadata"]["query"]).fetchall()
    return -(-int(count) // int(trigger["metadata"]["targetQueryValue"]))


def test_a_worker_is_wanted_for_each_model_that_waits_or_is_trained(shop: Shop) -> None:
    assert wanted(shop) == 0

    shop.submit(dataset="simulated", model_name="a")
    shop.submit(dataset="simulated", model_name="b")
    shop.submit(dataset="simulated", model_name="b")  # which has to wait for the one before it
    assert wanted(shop) == 2

    job = shop.jobs.claim("w1")
    assert job is not None
    assert wanted(shop) == 2  # the worker that is busy must stay

    shop.jobs.fail(job.fence, "no rows")
    assert wanted(shop) == 1


def test_no_worker_is_wanted_for_a_job_that_pauses_before_its_next_attempt(shop: Shop) -> None:
    shop.submit(dataset="simulated", model_name="a")
    job = shop.jobs.claim("w1")
    assert job is not None

    assert shop.jobs.retry(job.fence, "the disk was full") == "queued"

    assert wanted(shop) == 0


def test_a_job_that_is_cancelled_wants_nobody(shop: Shop) -> None:
    job = shop.submit(dataset="simulated", model_name="a")

    shop.jobs.cancel(job.id)

    assert wanted(shop) == 0
