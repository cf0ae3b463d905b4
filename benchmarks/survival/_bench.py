"""One installation with its servers, moments that are chosen at random, and what must hold when a job has ended."""

import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from tests.services import PostgresServer, RedisServer, postgres_server, redis_server
from tests.workers import (
    QUICK,
    Shop,
    finished_trials,
    processes_of,
    repeated_trials,
    small_dataset,
    start_worker,
    study_trials,
    training_processes,
    until,
    working,
)

from perfcast.jobs import Job
from perfcast.settings import Settings, load_settings
from perfcast.storage import now, schema

TRIALS = 14
"""More than run one after another: the fits are in processes of their own where there are several processors."""
SHORT = {"families": ("xgboost", "polynomial"), "n_trials": TRIALS}
PATIENCE = 300.0
"""Seconds within which anything that works has happened, on however busy a machine."""
GONE_SECONDS = 10.0
"""Within this after a job's end no process of its training is left."""
CANCEL_SECONDS = 5.0
"""Within this after its cancellation nothing is left of a job: what docs/jobs.md promises."""
BEGUN = ("running", "succeeded")

Before = dict[int, tuple[str, object]]


@dataclass
class Bench:
    """One installation, made anew for each scenario.

    Attributes:
        jobs: That this repetition submitted.
        hit: The moment of it that was hit last.
    """

    shop: Shop
    redis: RedisServer | None = None
    postgres: PostgresServer | None = None
    jobs: list[Job] = field(default_factory=list)
    hit: "Moment | None" = None

    @property
    def settings(self) -> Settings:
        """What it is configured with."""
        return self.shop.settings

    @property
    def usual(self) -> Settings:
        """The same with the intervals that are the default, instead of short ones."""
        return self.settings.model_copy(update={name: Settings.model_fields[name].default for name in QUICK})

    @property
    def log(self) -> Path:
        """What all its workers say."""
        return self.settings.data_dir / "worker.log"

    def submit(self, **asked: object) -> Job:
        """A job of a model of its own, with a seed of its own, so that its versions' bytes are new too."""
        own = {"model_name": f"model-{time.monotonic_ns()}", "seed": random.randrange(1 << 31)}
        given = {"dataset": "simulated"} | own | asked
        self.jobs.append(self.shop.submit(**given))
        return self.jobs[-1]

    def clear(self) -> list[str]:
        """End whatever is left, so that the next repetition begins anew; gives what there should not have been."""
        try:
            until(lambda: not processes_of(self.settings.data_dir), GONE_SECONDS)
            left = {}
        except AssertionError:
            left = processes_of(self.settings.data_dir)
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        unfinished = schema.job.c.status.in_(("queued", "running"))
        with self.shop.database.begin() as connection:
            connection.execute(sa.update(schema.job).where(unfinished).values(status="cancelled", finished_at=now()))
        self.jobs, self.hit = [], None
        return [f"left behind: {words}" for words in left.values()]


@dataclass
class Finding:
    """What one repetition showed.

    Attributes:
        seconds: Of what is timed; None where it never came to that.
        wrong: What should not have been.
        seen: The moment that was hit, or which of several good outcomes it was.
        moment: Seconds from the job's claim to what was done to it.
        fits: Of trials: finished, and cut short.
        tries: Attempts that counted.
    """

    seconds: float | None
    wrong: list[str] = field(default_factory=list)
    seen: str = ""
    moment: float | None = None
    fits: tuple[int, int] | None = None
    tries: int | None = None

    def at(self, moment: "Moment") -> "Finding":
        """The same, with the moment that was hit."""
        self.seen, self.moment = moment.stage, moment.seconds
        return self


@dataclass(frozen=True)
class Scenario:
    """What is done, and what must hold of it.

    Attributes:
        run: Does it.
        servers: Whether the state is in PostgreSQL and Redis, else in files.
        within: Seconds that are promised; more is wrong.
    """

    run: Callable[[Bench], Finding]
    servers: bool = False
    within: float | None = None


@dataclass(frozen=True)
class Moment:
    """Where in its life a job was, and how many seconds after its claim."""

    stage: str
    seconds: float


def moment(bench: Bench, job: Job) -> Moment:
    """Where a job is now."""
    found = bench.shop.jobs.find(job.id)
    stage = found.progress.stage if found.status == "running" else found.status
    since = datetime.now(UTC) - datetime.fromisoformat(found.started_at or found.created_at)
    bench.hit = Moment(stage, round(since.total_seconds(), 3))
    return bench.hit


def somewhere(bench: Bench, job: Job, *, first: int = 0, last: int = TRIALS) -> Moment:
    """Wait for a random moment of a job's life, from its claim to its end.

    Args:
        bench: Where it runs.
        job: Claimed now or soon.
        first: Fewest trials to wait for.
        last: Most of them.
    """
    trials = random.randint(first, last)
    bench.shop.wait(job, *BEGUN, seconds=PATIENCE)
    bench.shop.wait_for_trials(job, trials, seconds=PATIENCE)
    time.sleep(random.uniform(0, 2.0 if trials == 0 else 0.6))
    return moment(bench, job)


def check(bench: Bench, job: Job, before: Before, seconds: float, *, trials: int = TRIALS) -> Finding:
    """Whether a job that was disturbed came to a good end: nothing lost, nothing done twice, nothing left behind.

    Args:
        bench: Where it ran; its workers still do, so that only what training leaves is left.
        job: Which should have succeeded.
        before: Trials that had finished when it was disturbed.
        seconds: What was timed.
        trials: That it was to make.
    """
    wrong = []
    done = bench.shop.jobs.find(job.id)
    if done.status != "succeeded":
        wrong.append(f"{done.status}: {done.error}")
    after = finished_trials(bench.settings, job)
    if not before.items() <= after.items():
        wrong.append("a finished trial is missing")
    if repeated := repeated_trials(bench.settings, job):
        wrong.append(f"finished trials were run again: {repeated}")
    if len(after) != trials:
        wrong.append(f"{len(after)} trials instead of {trials}")
    wrong += _versions(bench, done, trials) + left_behind(bench.settings)
    counted, cut_short = study_trials(bench.settings, job)
    return Finding(seconds, wrong, fits=(len(counted), len(cut_short)), tries=done.tries)


def _versions(bench: Bench, done: Job, trials: int) -> list[str]:
    """What is wrong with the versions that a job registered."""
    model, registry = done.request.model, bench.shop.registry
    known = next((list(each.versions) for each in registry.models() if each.name == model), [])
    if not known or sorted(known) != sorted(done.versions or ()):
        return [f"versions {known} are registered, the job says {done.versions}"]
    wrong = []
    best = registry.version(model, known[-1])
    if done.model_version != best.number:
        wrong.append(f"the best version is {done.model_version} of {known}")
    if best.manifest.search.get("trials") != trials:
        wrong.append(f"the version knows of {best.manifest.search.get('trials')} trials")
    moves = [event for event in registry.history(model) if event.alias == "champion"]
    if len(moves) != done.outcome.startswith("promoted"):
        wrong.append(f"the champion was moved {len(moves)} times, and the job says: {done.outcome}")
    return wrong


def left_behind(settings: Settings) -> list[str]:
    """Processes of training that are still there some seconds after the end."""
    try:
        until(lambda: not training_processes(settings), GONE_SECONDS)
    except AssertionError:
        return [f"{len(training_processes(settings))} training processes are left"]
    return []


def finished_before(bench: Bench, job: Job) -> Before:
    """The trials that have finished; none where the study has not begun."""
    try:
        return finished_trials(bench.settings, job)
    except (KeyError, FileNotFoundError):
        return {}


@contextmanager
def doomed(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that the scenario kills, stops or freezes; whatever goes wrong, it is gone at the end."""
    worker = start_worker(settings)
    try:
        yield worker
    finally:
        worker.kill()
        worker.wait()


@contextmanager
def installation(*, servers: bool) -> Iterator[Bench]:
    """Files alone, or PostgreSQL with Redis, in which one job has run already."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="perfcast-jobs-", ignore_cleanup_errors=True))
        )
        given: dict[str, object] = dict(QUICK)
        redis = postgres = None
        if servers:
            redis, postgres = stack.enter_context(redis_server()), stack.enter_context(postgres_server())
            given |= {"redis_url": redis.url, "database_url": postgres.url}
        shop = Shop(load_settings(data_dir=folder, **given))
        stack.callback(shop.close)
        shop.datasets.add(small_dataset(400))
        bench = Bench(shop, redis, postgres)
        with working(bench.settings):
            shop.wait(bench.submit(families=("polynomial",), n_trials=1), "succeeded", seconds=PATIENCE)
        bench.clear()
        yield bench
