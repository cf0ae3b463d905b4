"""Workers, training processes and servers are killed or stopped."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
from tests.contract.conftest import fill, start
from tests.workers import ready_worker, stop, training_process, training_processes, until, working

from perfcast.jobs import Job
from survival._bench import (
    BEGUN,
    GONE_SECONDS,
    PATIENCE,
    SHORT,
    Bench,
    Finding,
    Scenario,
    check,
    doomed,
    finished_before,
    left_behind,
    moment,
    somewhere,
)

REPLACED_SECONDS = 120.0
"""Within this `perfcast up` has another worker in place of one that was killed."""
REGISTERED_SECONDS = 0.5
"""About as long as it takes from the versions' registration to the end of the job."""
CHANCES = 6
"""How often a moment that is over within a blink may be missed."""


def worker_killed(bench: Bench) -> Finding:
    """A worker is killed at some moment; another is started."""
    job = bench.submit(**SHORT)
    with doomed(bench.settings) as worker:
        hit = somewhere(bench, job)
        worker.kill()
        worker.wait()
    begun = time.monotonic()
    wrong = left_behind(bench.settings)
    before = finished_before(bench, job)
    with working(bench.settings):
        bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        finding = check(bench, job, before, time.monotonic() - begun).at(hit)
    finding.wrong += wrong
    return finding


def worker_killed_after_registering(bench: Bench) -> Finding:
    """A worker is killed when its job's versions are registered, and the job hasn't succeeded yet."""
    for _ in range(CHANCES):
        job = bench.submit(**SHORT)
        with doomed(bench.settings) as worker:
            bench.shop.wait_for_trials(job, 1, seconds=PATIENCE)
            _wait_for_versions(bench, job)
            time.sleep(random.uniform(0, REGISTERED_SECONDS))
            hit = moment(bench, job)
            worker.kill()
            worker.wait()
        if not bench.shop.jobs.find(job.id).finished:
            break
    else:
        return Finding(None, ["the job had always succeeded before its worker could be killed"])
    begun = time.monotonic()
    before = finished_before(bench, job)
    with working(bench.settings):
        bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        return check(bench, job, before, time.monotonic() - begun).at(hit)


def training_killed(bench: Bench) -> Finding:
    """The training process is killed at some moment; its worker goes on."""
    with working(bench.settings):
        job = bench.submit(**SHORT)
        bench.shop.wait(job, *BEGUN, seconds=PATIENCE)
        until(lambda: training_process(job), PATIENCE)
        hit = somewhere(bench, job)
        process, fits = training_process(job), set(training_processes(bench.settings))
        if process is not None:
            os.kill(process, signal.SIGKILL)
        begun = time.monotonic()
        until(lambda: not fits.intersection(training_processes(bench.settings)), GONE_SECONDS)
        before = finished_before(bench, job)
        bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        return check(bench, job, before, time.monotonic() - begun).at(hit)


def worker_stopped(bench: Bench) -> Finding:
    """A worker gets SIGTERM at some moment; timed is how long it takes to end."""
    job = bench.submit(**SHORT)
    with doomed(bench.settings) as worker:
        hit = somewhere(bench, job)
        seconds = stop(worker)
    back = bench.shop.jobs.find(job.id)
    before = finished_before(bench, job)
    with working(bench.settings):
        done = bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        finding = check(bench, job, before, seconds).at(hit)
    if (back.status, done.tries) not in (("queued", 1), ("succeeded", 1)):
        finding.wrong.append(f"{back.status} after the stop, {done.tries} attempts in the end")
    return finding


def api_killed(bench: Bench) -> Finding:
    """The API is killed some time after it has taken a job, and started again; timed is the whole job."""
    with working(bench.settings):
        begun = time.monotonic()
        body = SHORT | {"model_name": f"model-{time.monotonic_ns()}", "dataset": "simulated"}
        with _serving(bench) as (server, url):
            job = bench.shop.jobs.find(httpx2.post(f"{url}/train", json=body, timeout=60).json()["job_id"])
            if random.random() < 0.5:
                bench.shop.wait(job, *BEGUN, seconds=PATIENCE)
                hit = somewhere(bench, job)
            else:
                time.sleep(random.uniform(0, 0.1))
                hit = moment(bench, job)
            server.kill()
            server.wait()
        with _serving(bench) as (_, url), httpx2.Client(base_url=url, timeout=60) as client:
            until(lambda: client.get(f"/jobs/{job.id}").json()["status"] == "succeeded", PATIENCE)
        return check(bench, job, {}, time.monotonic() - begun).at(hit)


def worker_of_up_killed(bench: Bench) -> Finding:
    """The worker of `perfcast up` is killed at some moment; timed is how long until the job has succeeded."""
    if not any(model.name == "cpu-utilization" for model in bench.shop.registry.models()):
        fill(bench.settings.data_dir)  # so that it makes no starters
    with _up(bench) as up:
        worker = until(lambda: _worker_of(up), PATIENCE)
        job = bench.submit(**SHORT)
        hit = somewhere(bench, job)
        os.kill(worker, signal.SIGKILL)
        begun = time.monotonic()
        until(lambda: _worker_of(up) not in (None, worker), REPLACED_SECONDS)
        before = finished_before(bench, job)
        bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        return check(bench, job, before, time.monotonic() - begun).at(hit)


def two_workers_race(bench: Bench) -> Finding:
    """Two workers wait; one job is submitted, its message sent three times."""
    with ready_worker(bench.settings), ready_worker(bench.settings):
        time.sleep(random.uniform(0, 1))
        begun = time.monotonic()
        job = bench.submit(**SHORT)
        for _ in range(2):
            bench.shop.transport.send(job.id)
        done = bench.shop.wait(job, "succeeded", seconds=PATIENCE)
        finding = check(bench, job, {}, time.monotonic() - begun)
    if done.attempt != 1:
        finding.wrong.append(f"claimed {done.attempt} times")
    return finding


KILLS = (
    Scenario(worker_killed),
    Scenario(worker_killed_after_registering),
    Scenario(training_killed),
    Scenario(worker_stopped),
    Scenario(worker_of_up_killed),
    Scenario(api_killed),
    Scenario(two_workers_race, servers=True),
)


def _wait_for_versions(bench: Bench, job: Job) -> None:
    """Return within milliseconds of their registration."""
    deadline = time.monotonic() + PATIENCE
    while bench.shop.jobs.find(job.id).versions is None:
        assert time.monotonic() < deadline, "no versions were registered in time"
        time.sleep(0.005)


def _worker_of(up: "subprocess.Popen[bytes]") -> int | None:
    """The worker process that `perfcast up` has just now, whichever of its threads began it."""
    for children in Path(f"/proc/{up.pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread or a child that has just ended
            for child in children.read_text().split():
                if b"worker" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                    return int(child)
    return None


@contextmanager
def _serving(bench: Bench) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """An API process and its address."""
    process, address = start(bench.settings.data_dir, **bench.settings.environment | {"API_PORT": "0"})
    try:
        yield process, address
    finally:
        process.kill()
        process.wait()


@contextmanager
def _up(bench: Bench) -> Iterator["subprocess.Popen[bytes]"]:
    """`perfcast up`, ended at the end."""
    given = bench.settings.environment | {"API_PORT": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    with bench.log.open("ab") as log:
        command = [sys.executable, "-m", "perfcast", "up"]
        process = subprocess.Popen(command, env=os.environ | given, stdout=subprocess.DEVNULL, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            process.kill()
            process.wait()
