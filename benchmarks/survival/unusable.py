"""What a worker is told or finds can't be used: messages of no job, a job's row, the rows of a dataset."""

import random
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

import sqlalchemy as sa
from tests.workers import ready_worker, small_dataset, until

from perfcast.jobs import Job
from perfcast.storage import schema
from survival._bench import PATIENCE, SHORT, Bench, Finding, Scenario, check, left_behind, somewhere

SPOILT: tuple[Mapping[str, object], ...] = (
    *({"request": request} for request in (None, {}, [], "text", {"model": 5}, {"model": "m", "n_trials": "many"})),
    {"versions": 5},
    {"trials": [1]},
)


def messages_of_no_job(bench: Bench) -> Finding:
    """Messages name jobs that don't exist, or are no names at all; a job between them is trained as ever."""
    strange = [str(uuid4()), "", "\0", "no job", "{}", "9" * 100_000, secrets.token_hex(8), "ü"]
    random.shuffle(strange)
    with ready_worker(bench.settings) as worker:
        begun = time.monotonic()
        for message in strange[:4]:
            bench.shop.transport.send(message)
        job = bench.submit(**SHORT)
        hit = somewhere(bench, job)
        for message in strange[4:]:
            bench.shop.transport.send(message)
        done = bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        finding = check(bench, job, {}, time.monotonic() - begun).at(hit)
        if worker.poll() is not None:
            finding.wrong.append("the worker has ended")
    if done.attempt != 1:
        finding.wrong.append(f"claimed {done.attempt} times")
    return finding


def row_unreadable(bench: Bench) -> Finding:
    """A waiting job's row can't be read; the worker goes on, and the job after it is trained as ever."""
    with _spoilt(bench, random.choice(SPOILT)) as spoilt, ready_worker(bench.settings) as worker:
        bench.shop.transport.send(spoilt.id)
        begun = time.monotonic()
        job = bench.submit(**SHORT)

        def succeeded() -> bool:
            assert worker.poll() is None, f"the worker ended with {worker.returncode}"
            return bench.shop.jobs.find(job.id).status == "succeeded"

        until(succeeded, PATIENCE)
        finding = check(bench, job, {}, time.monotonic() - begun)
        with bench.shop.database.read() as connection:
            query = sa.select(schema.job.c.status).where(schema.job.c.id == spoilt.id)
            finding.seen = f"it has {connection.execute(query).scalar_one()}"
    return finding


def rows_unreadable(bench: Bench) -> Finding:
    """The rows that a job is to learn from are altered or gone: it fails at once and says so."""
    name = f"spoilt-{time.monotonic_ns()}"
    record = bench.shop.datasets.add(small_dataset(random.randint(100, 300), name=name))
    kept = bench.settings.data_dir / "artifacts" / record.blob[:2] / record.blob
    job = bench.submit(families=("polynomial",), dataset=name, n_trials=2)
    if gone := random.random() < 0.5:
        kept.unlink()
    else:
        content = bytearray(kept.read_bytes())
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        kept.write_bytes(content)
    with ready_worker(bench.settings):
        begun = time.monotonic()
        failed = bench.shop.wait(job, "failed", "succeeded", seconds=PATIENCE)
        seconds = time.monotonic() - begun
        wrong = left_behind(bench.settings)
    if failed.status != "failed" or failed.tries != 1 or record.blob[:12] not in str(failed.error):
        wrong.append(f"{failed.status} after {failed.tries} attempts: {failed.error}")
    return Finding(seconds, wrong, seen="gone" if gone else "altered", tries=failed.tries)


UNUSABLE = (Scenario(messages_of_no_job), Scenario(row_unreadable), Scenario(rows_unreadable))


@contextmanager
def _spoilt(bench: Bench, columns: Mapping[str, object]) -> Iterator[Job]:
    """A waiting job whose row has something else in these columns; it is gone at the end."""
    job = bench.submit(families=("polynomial",), n_trials=1)
    where = schema.job.c.id == job.id
    with bench.shop.database.begin() as connection:
        connection.execute(sa.update(schema.job).where(where).values(**columns))
    try:
        yield job
    finally:
        with bench.shop.database.begin() as connection:
            connection.execute(sa.delete(schema.job).where(where))
