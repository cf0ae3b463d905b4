"""What training jobs survive: each kill, outage and cancellation repeated, with outcomes and times as a table.

    python benchmarks/jobs.py --times 20
    python benchmarks/jobs.py --times 5 --only worker_killed --only cancel_in_a_boosting_run

Everything is real: workers, servers, Redis and PostgreSQL, which are started here and ended at the end. A repetition is
good when its job has the outcome it should, no trial that had finished was run again, and its versions were registered
once. The servers are those of the tests (`tests/services.py`).
"""

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import httpx
from tests.services import PostgresServer, RedisServer, postgres_server, redis_server
from tests.workers import (
    QUICK,
    Shop,
    finished_trials,
    small_dataset,
    start_worker,
    stop,
    training_process,
    until,
    working,
)

from perfcast.errors import Conflict, PerfcastError
from perfcast.jobs import Job
from perfcast.settings import Settings, load_settings

TRIALS = 6
SHORT = {"families": ("xgboost", "polynomial"), "n_trials": TRIALS}
SERVE = "from perfcast.api import serve; from perfcast.settings import load_settings; serve(load_settings())"


@dataclass
class Bench:
    """One installation, made anew for each scenario."""

    shop: Shop
    redis: RedisServer | None = None
    postgres: PostgresServer | None = None
    count: int = 0

    @property
    def settings(self) -> Settings:
        """What it is configured with."""
        return self.shop.settings

    def submit(self, **asked: object) -> Job:
        """A job of a model of its own."""
        self.count += 1
        return self.shop.submit(model_name=f"model-{self.count}", dataset="simulated", **asked)


@dataclass
class Finding:
    """What one repetition showed: seconds of what is timed, and what was wrong."""

    seconds: float
    wrong: list[str] = field(default_factory=list)


Scenario = Callable[[Bench], Finding]


def check(bench: Bench, job: Job, before: dict[int, tuple[str, object]], seconds: float) -> Finding:
    """Whether a job that was disturbed came to a good end."""
    wrong = []
    after = finished_trials(bench.settings, job)
    done = bench.shop.jobs.find(job.id)
    if done.status != "succeeded":
        wrong.append(f"{done.status}: {done.error}")
    if not before.items() <= after.items():
        wrong.append("a finished trial is missing or was run again")
    if len(after) != TRIALS:
        wrong.append(f"{len(after)} trials instead of {TRIALS}")
    known = {model.name: list(model.versions) for model in bench.shop.registry.models()}
    registered = known.get(job.request.model, [])
    if registered != list(done.versions or ()):
        wrong.append(f"versions {registered} are registered, the job says {done.versions}")
    return Finding(seconds, wrong)


def worker_killed(bench: Bench) -> Finding:
    """A worker is killed at some moment; another is started."""
    job = bench.submit(**SHORT)
    worker = start_worker(bench.settings)
    _some_way(bench, job)
    worker.kill()
    worker.wait()
    begun = time.monotonic()
    until(lambda: training_process(job) is None, 10)
    before = finished_trials_or_none(bench, job)
    with working(bench.settings):
        bench.shop.wait(job, "succeeded", seconds=120)
        return check(bench, job, before, time.monotonic() - begun)


def training_killed(bench: Bench) -> Finding:
    """The training process is killed at some moment; its worker goes on."""
    with working(bench.settings):
        job = bench.submit(**SHORT)
        _some_way(bench, job)
        process = until(lambda: training_process(job), 10)
        os.kill(process, signal.SIGKILL)
        begun = time.monotonic()
        before = finished_trials_or_none(bench, job)
        bench.shop.wait(job, "succeeded", seconds=120)
        return check(bench, job, before, time.monotonic() - begun)


def worker_stopped(bench: Bench) -> Finding:
    """A worker gets SIGTERM at some moment; timed is how long it takes to end."""
    job = bench.submit(**SHORT)
    worker = start_worker(bench.settings)
    _some_way(bench, job)
    seconds = stop(worker)
    back = bench.shop.jobs.find(job.id)
    before = finished_trials_or_none(bench, job)
    with working(bench.settings):
        done = bench.shop.wait(job, "succeeded", seconds=120)
    finding = check(bench, job, before, seconds)
    if (back.status, done.tries) not in (("queued", 1), ("succeeded", 1)):
        finding.wrong.append(f"{back.status} after the stop, {done.tries} attempts in the end")
    return finding


def api_killed(bench: Bench) -> Finding:
    """The API is killed as soon as it has taken a job, and started again; timed is the whole job."""
    with working(bench.settings):
        begun = time.monotonic()
        with serving(bench.settings) as (server, url):
            body = SHORT | {"model_name": f"model-api-{bench.count}", "dataset": "simulated"}
            bench.count += 1
            job_id = httpx.post(f"{url}/train", json=body, timeout=10).json()["job_id"]
            server.kill()
            server.wait()
        with serving(bench.settings) as (_, url), httpx.Client(base_url=url, timeout=10) as client:
            until(lambda: client.get(f"/jobs/{job_id}").json()["status"] == "succeeded", 120)
        return check(bench, bench.shop.jobs.find(job_id), {}, time.monotonic() - begun)


def redis_restarted_empty(bench: Bench) -> Finding:
    """Redis is stopped for 10 s and comes back empty; jobs are submitted before and meanwhile."""
    assert bench.redis is not None
    with working(bench.settings):
        begun = time.monotonic()
        jobs = [bench.submit(**SHORT)]
        _some_way(bench, jobs[0])
        bench.redis.stop()
        stopped = time.monotonic()
        jobs.append(bench.submit(**SHORT))
        time.sleep(max(0.0, 10 - (time.monotonic() - stopped)))
        bench.redis.start()
        for job in jobs:
            bench.shop.wait(job, "succeeded", seconds=120)
        findings = [check(bench, job, {}, time.monotonic() - begun) for job in jobs]
    return Finding(findings[0].seconds, [wrong for finding in findings for wrong in finding.wrong])


def postgres_restarted(bench: Bench) -> Finding:
    """PostgreSQL is stopped for 2 s in the middle of a job."""
    assert bench.postgres is not None
    with working(bench.settings):
        begun = time.monotonic()
        job = bench.submit(**SHORT)
        _some_way(bench, job)
        before = finished_trials_or_none(bench, job)
        bench.postgres.stop()
        time.sleep(2)
        bench.postgres.start()

        def succeeded() -> bool:
            try:
                return bench.shop.jobs.find(job.id).finished
            except PerfcastError:
                return False

        until(succeeded, 120)
        return check(bench, job, before, time.monotonic() - begun)


def two_workers_race(bench: Bench) -> Finding:
    """Two workers wait; one job is submitted, its message sent three times."""
    with working(bench.settings), working(bench.settings):
        time.sleep(1.5)
        begun = time.monotonic()
        job = bench.submit(**SHORT)
        for _ in range(2):
            bench.shop.transport.send(job.id)
        done = bench.shop.wait(job, "succeeded", seconds=120)
        finding = check(bench, job, {}, time.monotonic() - begun)
    if done.attempt != 1:
        finding.wrong.append(f"claimed {done.attempt} times")
    return finding


def cancel_while_queued(bench: Bench) -> Finding:
    """No worker is there."""
    return _cancelled(bench, bench.submit(**SHORT))


def cancel_while_prepared(bench: Bench) -> Finding:
    """The training process imports its libraries."""
    with working(bench.settings):
        job = bench.submit(**SHORT)
        bench.shop.wait(job, "running")
        return _cancelled(bench, job)


def cancel_in_the_search(bench: Bench) -> Finding:
    """Short trials follow one another."""
    with working(bench.settings):
        job = bench.submit(families=("xgboost", "polynomial"), n_trials=500)
        bench.shop.wait_for_trials(job, 3)
        return _cancelled(bench, job)


def cancel_in_a_boosting_run(bench: Bench) -> Finding:
    """One long fit of XGBoost."""
    return _cancel_in_a_fit(bench, "xgboost")


def cancel_in_an_epoch(bench: Bench) -> Finding:
    """One long fit of the neural network."""
    return _cancel_in_a_fit(bench, "neural_network")


def cancel_in_the_final_fits(bench: Bench) -> Finding:
    """The search is over."""
    bench.shop.datasets.add(small_dataset(20_000, name="large"))
    with working(bench.settings):
        job = bench.shop.submit(
            families=("xgboost",), n_trials=1, dataset="large", model_name=f"final-{time.monotonic_ns()}"
        )
        bench.shop.wait_for_trials(job, 1, seconds=120)
        return _cancelled(bench, job)


def cancel_when_finished(bench: Bench) -> Finding:
    """Too late: refused, and nothing changes."""
    with working(bench.settings):
        job = bench.submit(families=("polynomial",), n_trials=1)
        bench.shop.wait(job, "succeeded")
    begun = time.monotonic()
    try:
        bench.shop.jobs.cancel(job.id)
    except Conflict:
        return Finding(time.monotonic() - begun)
    return Finding(time.monotonic() - begun, ["it was not refused"])


SCENARIOS: dict[str, tuple[Scenario, str]] = {
    function.__name__: (function, servers)
    for function, servers in (
        (worker_killed, "files"),
        (training_killed, "files"),
        (worker_stopped, "files"),
        (api_killed, "files"),
        (two_workers_race, "servers"),
        (redis_restarted_empty, "servers"),
        (postgres_restarted, "servers"),
        (cancel_while_queued, "files"),
        (cancel_while_prepared, "files"),
        (cancel_in_the_search, "files"),
        (cancel_in_a_boosting_run, "files"),
        (cancel_in_an_epoch, "files"),
        (cancel_in_the_final_fits, "files"),
        (cancel_when_finished, "files"),
    )
}


def finished_trials_or_none(bench: Bench, job: Job) -> dict[int, tuple[str, object]]:
    """The trials that have finished; none where the study has not begun."""
    try:
        return finished_trials(bench.settings, job)
    except Exception:  # noqa: BLE001 - Optuna has several ways to say so
        return {}


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An API process and its address."""
    environment = os.environ | settings.environment | {"API_PORT": "0", "LOG_FORMAT": "json"}
    command = [sys.executable, "-c", SERVE]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = ""
    for line in process.stderr:
        if '"listening"' in line:
            address = line.partition('"address": "')[2].partition('"')[0]
        if '"ready"' in line or "no usable model yet" in line:
            break
    try:
        yield process, address
    finally:
        process.kill()
        process.wait()


@contextmanager
def installation(servers: str) -> Iterator[Bench]:
    """Files alone, or PostgreSQL with Redis."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="perfcast-jobs-")))
        given: dict[str, object] = dict(QUICK)
        redis = postgres = None
        if servers == "servers":
            redis, postgres = stack.enter_context(redis_server()), stack.enter_context(postgres_server())
            given |= {"redis_url": redis.url, "database_url": postgres.url}
        shop = Shop(load_settings(data_dir=folder, **given))
        stack.callback(shop.close)
        shop.datasets.add(small_dataset(400))
        yield Bench(shop, redis, postgres)


def main() -> None:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--only", action="append", choices=SCENARIOS, default=[])
    chosen = parser.parse_args()
    print("| what happens | state | times | good | median s | worst s |\n|---|---|---|---|---|---|", flush=True)
    for name in chosen.only or SCENARIOS:
        scenario, servers = SCENARIOS[name]
        findings: list[Finding] = []
        with installation(servers) as bench:
            findings += [_one(scenario, bench) for _ in range(chosen.times)]
        print(_line(name, servers, findings), flush=True)


def _one(scenario: Scenario, bench: Bench) -> Finding:
    try:
        return scenario(bench)
    except AssertionError as error:
        return Finding(float("inf"), [str(error)])


def _line(name: str, servers: str, findings: list[Finding]) -> str:
    for finding in findings:
        if finding.wrong:
            print(f"{name}: {'; '.join(finding.wrong)}", file=sys.stderr, flush=True)
    good = sum(not finding.wrong for finding in findings)
    seconds = [finding.seconds for finding in findings]
    state = "SQLite" if servers == "files" else "PostgreSQL + Redis"
    numbers = f"{statistics.median(seconds):.1f} | {max(seconds):.1f}"
    return f"| {name.replace('_', ' ')} | {state} | {len(findings)} | {good} | {numbers} |"


def _some_way(bench: Bench, job: Job) -> None:
    """Wait until the job is somewhere: anywhere from its claim to its last trial."""
    bench.shop.wait(job, "running")
    bench.shop.wait_for_trials(job, random.randrange(TRIALS))
    time.sleep(random.uniform(0, 0.3))


def _cancelled(bench: Bench, job: Job) -> Finding:
    begun = time.monotonic()
    bench.shop.jobs.cancel(job.id)
    bench.shop.wait(job, "cancelled", seconds=10)
    until(lambda: training_process(job) is None, 10)
    seconds = time.monotonic() - begun
    known = {model.name for model in bench.shop.registry.models()}
    wrong = ["versions were registered"] if job.request.model in known else []
    return Finding(seconds, wrong + (["it took more than 5 s"] if seconds > 5 else []))


def _cancel_in_a_fit(bench: Bench, family: str) -> Finding:
    bench.shop.datasets.add(small_dataset(20_000, name="large"))
    with working(bench.settings):
        job = bench.shop.submit(
            families=(family,), n_trials=5, dataset="large", model_name=f"{family}-{time.monotonic_ns()}"
        )
        until(lambda: bench.shop.jobs.find(job.id).trials(), 60)
        time.sleep(random.uniform(0, 1))
        return _cancelled(bench, job)


if __name__ == "__main__":
    main()
