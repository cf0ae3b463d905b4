"""Each finished job is written to MLflow once: on either database, however it ended, whoever looks."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from tests.drafts import draft, weighted
from tests.mlflow_server import Server, running
from tests.patience import until
from tests.workers import Shop, working

from perfcast.jobs import Job
from perfcast.jobs.mlflow import _exporter
from perfcast.jobs.mlflow._exporter import Exporter
from perfcast.storage import schema, time_text
from perfcast.workloads import builtin_workloads

CPU = builtin_workloads()["cpu-utilization"]


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def exporter(shop: Shop, server: Server) -> Exporter:
    return Exporter(server.address, shop.database, shop.registry)


def statuses(server: Server) -> list[str]:
    return [content["status"] for _, path, content in server.calls if path.endswith("runs/update")]


def claimed(shop: Shop) -> Job:
    shop.submit()
    job = shop.jobs.claim("one")
    assert job is not None
    return job


def test_each_way_to_end_is_written_once_and_what_has_not_ended_is_not(
    shop: Shop, server: Server, exporter: Exporter
) -> None:
    failed = claimed(shop)
    shop.jobs.fail(failed.fence, "no memory")
    good = claimed(shop)
    version = shop.registry.add("cpu-utilization", draft(CPU, weighted(CPU, request_rate=1)))
    shop.jobs.succeed(good.fence, version=version.number, outcome="promoted")
    ended = shop.jobs.cancel(shop.submit().id)
    claimed(shop)
    assert exporter.look() == [failed.id, good.id, ended.id]
    assert statuses(server) == ["FAILED", "FINISHED", "KILLED"]
    assert [path for _, path, _ in server.calls if path.endswith("model.onnx")]
    assert exporter.look() == []


def test_a_job_whose_version_was_deleted_is_written_without_it(shop: Shop, server: Server, exporter: Exporter) -> None:
    job = claimed(shop)
    shop.jobs.succeed(job.fence, version=7, outcome="promoted")
    assert exporter.look() == [job.id]
    assert statuses(server) == ["FINISHED"]


def test_of_several_workers_one_writes_a_job(shop: Shop, server: Server) -> None:
    for _ in range(3):
        job = claimed(shop)
        shop.jobs.fail(job.fence, "no memory")
    exporters = [Exporter(server.address, shop.database, shop.registry) for _ in range(2)]
    claims = [exporters[number % 2]._claim for number in range(6)]
    with ThreadPoolExecutor(2) as pool:
        got = [found.id for found in pool.map(lambda claim: claim(), claims) if found is not None]
    assert len(got) == len(set(got)) == 3


def test_what_could_not_be_written_is_tried_again_later(
    shop: Shop, server: Server, exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = claimed(shop)
    shop.jobs.fail(job.fence, "no memory")
    server.fails_at = "log-batch"
    assert exporter.look() == []
    server.fails_at = ""
    assert exporter.look() == []
    monkeypatch.setattr(_exporter, "AGAIN_SECONDS", 0)
    assert exporter.look() == [job.id]


def test_what_ended_long_ago_is_left_alone(shop: Shop, exporter: Exporter) -> None:
    job = claimed(shop)
    shop.jobs.fail(job.fence, "no memory")
    at = time_text(datetime.now(UTC) - timedelta(days=2))
    with shop.database.begin() as connection:
        connection.execute(schema.job.update().values(finished_at=at))
    assert exporter.look() == []


def test_a_worker_writes_what_has_ended_whoever_ended_it(shop: Shop, server: Server) -> None:
    job = shop.jobs.cancel(shop.submit().id)
    with working(shop.settings.model_copy(update={"mlflow_tracking_uri": server.address})):
        until(lambda: statuses(server))
    assert statuses(server) == ["KILLED"]
    searched = [content["filter"] for _, path, content in server.calls if path.endswith("runs/search")]
    assert searched == [f"tags.\"perfcast.job\" = '{job.id}'"]
