"""What a job needs is gone for a while: Redis, PostgreSQL, the folder of artifacts; or is quite new."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
from tests.workers import Shop, ready_worker, small_dataset, until, working

from perfcast.errors import PerfcastError
from perfcast.settings import load_settings
from survival._bench import (
    BEGUN,
    PATIENCE,
    QUICK,
    SHORT,
    TRIALS,
    Bench,
    Finding,
    Scenario,
    check,
    finished_before,
    moment,
    somewhere,
)

AWAY_SECONDS = 30.0


def redis_restarted_empty(bench: Bench) -> Finding:
    """Redis is stopped for 10 s and comes back empty; jobs are submitted before and meanwhile."""
    assert bench.redis is not None
    with working(bench.settings):
        begun = time.monotonic()
        jobs = [bench.submit(**SHORT)]
        hit = somewhere(bench, jobs[0])
        bench.redis.stop()
        try:
            stopped = time.monotonic()
            time.sleep(random.uniform(0, 5))
            jobs.append(bench.submit(**SHORT))
            time.sleep(max(0.0, 10 - (time.monotonic() - stopped)))
        finally:
            bench.redis.start()
        for job in jobs:
            bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        first, second = (check(bench, job, {}, time.monotonic() - begun) for job in jobs)
    first.wrong += second.wrong
    return first.at(hit)


def postgres_restarted(bench: Bench) -> Finding:
    """PostgreSQL is stopped for 2 s at some moment of a job."""
    assert bench.postgres is not None
    with working(bench.settings):
        begun = time.monotonic()
        job = bench.submit(**SHORT)
        hit = somewhere(bench, job)
        before = finished_before(bench, job)
        bench.postgres.stop()
        time.sleep(2)
        bench.postgres.start()

        def finished() -> bool:
            try:
                return bench.shop.jobs.find(job.id).finished
            except PerfcastError:
                return False

        until(finished, PATIENCE)
        return check(bench, job, before, time.monotonic() - begun).at(hit)


def three_first_jobs(bench: Bench) -> Finding:
    """Three workers wait at a PostgreSQL that no search has used yet; three jobs come at once."""
    assert bench.postgres is not None
    name = f"new_{time.monotonic_ns()}"
    with psycopg.connect(bench.postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    address = f"{bench.postgres.url.rpartition('/')[0]}/{name}"
    folder = bench.settings.data_dir / name
    given: dict[str, object] = {**QUICK, "redis_url": bench.settings.redis_url, "database_url": address}
    shop = Shop(load_settings(data_dir=folder, **given))
    new = Bench(shop, bench.redis, bench.postgres)
    with ExitStack() as stack:
        stack.callback(shop.close)
        folder.mkdir()
        shop.datasets.add(small_dataset(400))
        for _ in range(3):
            stack.enter_context(ready_worker(new.settings))
        begun = time.monotonic()
        for _ in range(3):
            new.submit(**SHORT)
            time.sleep(random.uniform(0, 0.1))
        until(lambda: all(shop.jobs.find(job.id).finished for job in new.jobs), PATIENCE)
        seconds = time.monotonic() - begun
        wrong = [
            f"{done.status} at attempt {done.tries}: {done.error}"
            for done in (shop.jobs.find(job.id) for job in new.jobs)
            if done.status != "succeeded"
        ]
        findings = [] if wrong else [check(new, job, {}, seconds) for job in new.jobs]
        wrong += [each for finding in findings for each in finding.wrong]
        tries = max(shop.jobs.find(job.id).tries for job in new.jobs)
        return Finding(seconds, wrong, seen=f"{tries} attempts at most", tries=tries)


def artifacts_away_at_the_start(bench: Bench) -> Finding:
    """The folder of artifacts is gone for 30 s when a job begins; pauses are the usual ones."""
    with working(bench.usual):
        with _away(bench):
            time.sleep(random.uniform(0, 1))
            job = bench.submit(**SHORT)
            begun = time.monotonic()
            bench.shop.wait(job, *BEGUN, seconds=PATIENCE)
            hit = moment(bench, job)
            _while_it_lasts(bench, AWAY_SECONDS - 1)
        bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        return check(bench, job, {}, time.monotonic() - begun).at(hit)


def artifacts_away_in_the_search(bench: Bench) -> Finding:
    """The folder of artifacts is gone for 30 s, from the middle of a search on; pauses are the usual ones."""
    with working(bench.usual):
        job = bench.submit(**SHORT)
        begun = time.monotonic()
        hit = somewhere(bench, job, first=1, last=TRIALS - 2)
        with _away(bench):
            before = finished_before(bench, job)
            _while_it_lasts(bench, AWAY_SECONDS)
        bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        return check(bench, job, before, time.monotonic() - begun).at(hit)


OUTAGES = (
    Scenario(redis_restarted_empty, servers=True),
    Scenario(postgres_restarted, servers=True),
    Scenario(three_first_jobs, servers=True),
    Scenario(artifacts_away_at_the_start),
    Scenario(artifacts_away_in_the_search),
)


@contextmanager
def _away(bench: Bench) -> Iterator[None]:
    """A file stands where the folder of artifacts should be, so that nothing can be read or written."""
    artifacts = bench.settings.data_dir / "artifacts"
    aside = artifacts.with_name("aside")
    artifacts.rename(aside)
    artifacts.touch()
    try:
        yield
    finally:
        artifacts.unlink()
        aside.rename(artifacts)


def _while_it_lasts(bench: Bench, seconds: float) -> None:
    """Wait for so many seconds, or until the job has ended, which it should not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not bench.shop.jobs.find(bench.jobs[-1].id).finished:
        time.sleep(0.1)
