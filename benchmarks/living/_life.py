"""The product lives through a stream, a quarter of an hour at a time; the machine's clock plays no part."""

import sys
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np

from living._streams import DAY, Stream
from perfcast.datasets import Datasets
from perfcast.jobs import Jobs, Plan, Schedules, Submissions
from perfcast.jobs.run import run_training
from perfcast.jobs.schedules import Retrain, Scheduler
from perfcast.monitoring import Judged, Record
from perfcast.monitoring.drift import Drift, read_anomalies, read_findings
from perfcast.registry import CHAMPION, Registry, Version
from perfcast.serving import Predictor
from perfcast.storage import Blobs, Database, time_text
from perfcast.workloads import Workload, builtin_workloads

STEP = 15
"""Rows that the watcher is told of together: a quarter of an hour."""


@dataclass
class Life:
    """What became of living through a stream."""

    answers: np.ndarray
    covered: np.ndarray
    alarms: list[tuple[int, str, str]] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    runs: list[tuple[int, str]] = field(default_factory=list)
    anomalies: list[tuple[str, str, str]] = field(default_factory=list)


class Place:
    """An installation of the product in a folder of its own."""

    def __init__(self, folder: Path, workload: Workload) -> None:
        self.database = Database(f"sqlite:///{folder / 'perfcast.db'}")
        self.database.migrate()
        blobs = Blobs(str(folder / "artifacts"))
        self.registry, self.datasets = Registry(self.database, blobs), Datasets(self.database, blobs)
        submissions = Submissions(self.datasets, self.registry, {**builtin_workloads(), workload.name: workload})
        self.jobs = Jobs(self.database)
        self.schedules = Schedules(self.database, submissions, ZoneInfo("UTC"))
        self.scheduler = Scheduler(self.schedules, self.jobs)

    def champion(self) -> Version:
        """Who answers."""
        number = self.registry.model("m").aliases[CHAMPION]
        return self.registry.version("m", number)


EFFORT = Retrain(n_trials=1, families=("xgboost",), dataset="line")
"""Of the first version, which learns from all there is."""


def live(stream: Stream, plan: Plan | None, *, without_anomalies: bool = True, budget: float = 1.0) -> Life:
    """Live through a stream; with a plan, models are trained anew as it says, from so many of the newest rows."""
    with TemporaryDirectory() as folder:
        place = Place(Path(folder), stream.workload)
        first = stream.dataset(0, stream.known)
        place.datasets.add(first)
        run_training(place.registry, first, "m", EFFORT, threads=1)
        if plan is not None:
            place.schedules.put("m", plan, stream.moment(stream.known))
        watcher = Drift(place.registry.version, place.schedules.signal, alarms_per_week=budget)
        return _live(stream, place, watcher, without_anomalies=without_anomalies)


def _live(stream: Stream, place: Place, watcher: Drift, *, without_anomalies: bool) -> Life:
    rows = len(stream.cost)
    texts = [time_text(stream.moment(at)) for at in range(stream.known, rows)]
    life = Life(np.zeros(rows), np.zeros(rows, dtype=bool))
    version, told = None, set()
    for begin in range(stream.known, rows, STEP):
        present = place.champion()
        if version is None or present.number != version.number:
            version = present
            predictor = Predictor(version, place.registry.graph(version), zone=UTC)
            answer = predictor.predict(stream.features[begin:])
            ahead = (begin, answer.cost, answer.lower, answer.upper)
        end = min(begin + STEP, rows)
        start, cost, lower, upper = ahead
        records = [
            Record(
                f"{at:012x}", "m", version.number, stream.features[at].tolist(), float(cost[at - start]),
                float(lower[at - start]), float(upper[at - start]), texts[at - stream.known],
            )
            for at in range(begin, end)
        ]  # fmt: skip
        life.answers[begin:end] = cost[begin - start : end - start]
        truth = stream.cost[begin:end]
        life.covered[begin:end] = (truth >= lower[begin - start : end - start]) & (
            truth <= upper[begin - start : end - start]
        )
        with place.database.begin() as connection:
            watcher.predicted(connection, records)
            watcher.judged(
                connection, [Judged(one, float(true), one.at) for one, true in zip(records, truth, strict=True)]
            )
            found = read_findings(connection, "m")
        watcher.after()
        now = {(one["kind"], one["feature"], one["since"]) for one in (found or {}).get("findings", ()) if one["alarm"]}
        for kind, feature, _ in now - told:
            life.alarms.append((end, kind, feature or ""))
        told |= now
        if end % 60 < STEP:
            _retrain(stream, place, life, end, without_anomalies=without_anomalies)
    with place.database.read() as connection:
        life.anomalies = [tuple(one) for one in read_anomalies(connection, "m")]
    return life


def _retrain(stream: Stream, place: Place, life: Life, at: int, *, without_anomalies: bool) -> None:
    """Let the scheduler look, and do what it submits; the simulated clock stands still meanwhile."""
    schedules = place.schedules.every()
    if not schedules or schedules[0].signal is None:
        return
    moment = stream.moment(at - 1) + timedelta(minutes=1)
    day_ago = at - DAY
    plan = schedules[0].plan
    if life.runs and (
        at - life.runs[-1][0] < max(plan.least_new_rows, plan.minimum_interval_seconds / 60)
        or sum(when > day_ago for when, _ in life.runs) >= plan.most_per_day
    ):
        return  # the scheduler would hold it back; spares writing the rows each time
    place.datasets.add(stream.dataset(0, at))
    with place.database.read() as connection:
        anomalies = read_anomalies(connection, "m") if without_anomalies else []
    for job in place.scheduler.look(moment):
        claimed = place.jobs.claim("bench")
        assert claimed is not None
        assert claimed.id == job.id
        dataset = place.datasets.load(place.datasets.find(job.request.dataset, job.request.digest))
        outcome = run_training(place.registry, dataset, "m", job.request, anomalies=anomalies, threads=1)
        place.jobs.succeed(claimed.fence, version=outcome.versions[0].number, outcome=outcome.reason)
        life.runs.append((at, outcome.reason))
        print(f"    day {(at - stream.known) / DAY:.2f}: {outcome.reason[:100]}", file=sys.stderr, flush=True)
