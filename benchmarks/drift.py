"""What watching for drift does on real servers and on a simulated service: false alarms, delays, and retraining.

    .venv/bin/python benchmarks/drift.py FOLDER_OF_PUBLIC_DATA [real] [quiet] [deploys] [usual] [--results FOLDER]

The real part lives through `server_minutes_*_test` minute by minute, after training on `server_minutes_*_train`, with
the product's own code: the watcher, the schedules and their limits, training, and the gate. Models are XGBoost after one
trial. What the machine's clock says plays no part: each row's time is the one it was measured at.
"""

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import xgboost as xgb

from perfcast.datasets import Dataset, Datasets
from perfcast.jobs import Jobs, Plan, Schedules, Submissions
from perfcast.jobs.run import run_training
from perfcast.jobs.schedules import Retrain, Scheduler
from perfcast.monitoring import Record
from perfcast.monitoring._judged import Judged
from perfcast.monitoring.drift import Drift, read_anomalies, read_findings
from perfcast.registry import CHAMPION, Registry, Version
from perfcast.serving import Predictor
from perfcast.storage import Blobs, Database, time_text
from perfcast.workloads import Workload, builtin_workloads, workload_from_document

FEATURES = ("passive_opens", "curr_estab", "active_opens", "in_segs", "tcp_use")
BEGIN = np.datetime64("2026-03-02T00:00")
STEP = 15
"""Rows that the watcher is told of together: a quarter of an hour."""
DAY = 1440


@dataclass(frozen=True)
class Stream:
    """Rows in order of time: what was learnt first, and what is lived through."""

    name: str
    workload: Workload
    features: np.ndarray
    cost: np.ndarray
    moments: np.ndarray
    known: int

    def dataset(self, first: int, last: int, leave: np.ndarray | None = None) -> Dataset:
        """The rows between two positions, but for some."""
        rows = np.arange(first, last)
        rows = rows if leave is None else rows[~leave[rows]]
        return Dataset("line", self.workload, self.features[rows], self.cost[rows], self.moments[rows])


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
        number = self.registry.model("m").aliases[CHAMPION]
        return self.registry.version("m", number)


EFFORT = Retrain(n_trials=1, families=("xgboost",), dataset="line")


def live(
    stream: Stream,
    plan: Plan | None,
    *,
    newest: int | None = None,
    without_anomalies: bool = False,
    budget: float = 1.0,
) -> Life:
    """Live through a stream; with a plan, models are trained anew as it says, from so many of the newest rows."""
    with TemporaryDirectory() as folder:
        place = Place(Path(folder), stream.workload)
        first = stream.dataset(0, stream.known)
        place.datasets.add(first)
        run_training(place.registry, first, "m", EFFORT, threads=2)
        if plan is not None:
            place.schedules.put("m", plan, _moment(stream, stream.known))
        watcher = Drift(
            lambda model, number: place.registry.version(model, number), place.schedules.signal, alarms_per_week=budget
        )
        return _live(stream, place, watcher, without_anomalies=without_anomalies)


def _moment(stream: Stream, at: int) -> datetime:
    return stream.moments[min(at, len(stream.moments) - 1)].astype("datetime64[us]").item().replace(tzinfo=UTC)


def _live(stream: Stream, place: Place, watcher: Drift, *, without_anomalies: bool) -> Life:
    rows = len(stream.cost)
    texts = [time_text(_moment(stream, at)) for at in range(stream.known, rows)]
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
    moment = _moment(stream, at - 1) + timedelta(minutes=1)
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
        assert claimed is not None and claimed.id == job.id
        dataset = place.datasets.load(place.datasets.find(job.request.dataset, job.request.digest))
        outcome = run_training(place.registry, dataset, "m", job.request, anomalies=anomalies, threads=2)
        place.jobs.succeed(claimed.fence, version=outcome.versions[0].number, outcome=outcome.reason)
        life.runs.append((at, outcome.reason))
        print(f"    day {(at - stream.known) / DAY:.2f}: {outcome.reason[:100]}", file=sys.stderr, flush=True)


def server(folder: Path, name: str) -> Stream:
    """A real server: what was learnt is `train`, what is lived through is `test`."""
    parts = [pl.read_csv(folder / f"server_minutes_{name}_{part}.csv.gz") for part in ("train", "test")]
    document = {
        "name": "server-minutes", "title": "A server's minutes", "description": "Scaled columns.", "series": True,
        "cost": {"name": "cpu", "unit": "percent", "minimum": 0, "maximum": 100, "meaning": "CPU"},
        "features": [{"name": feature, "meaning": feature} for feature in FEATURES],
    }  # fmt: skip
    features = np.concatenate([part.select(FEATURES).to_numpy() for part in parts]).astype(np.float32)
    cost = np.concatenate([part["cpu_r"].to_numpy() for part in parts]).clip(0, 1).astype(np.float32) * 100
    moments = (BEGIN + np.arange(len(cost)).astype("timedelta64[m]")).astype("datetime64[us]")
    return Stream(name, workload_from_document(document), features, cost, moments, len(parts[0]))


def oracle(stream: Stream) -> np.ndarray:
    """Errors of a model refitted for each day, on that day and the two before but for the hour it answers.

    The best that following could be: alternate hours of the same days, by two fits.
    """
    errors = np.zeros(len(stream.cost))
    half = (np.arange(len(stream.cost)) // 60) % 2
    for begin in range(stream.known, len(stream.cost), DAY):
        rows = np.arange(begin, min(begin + DAY, len(stream.cost)))
        past = np.arange(begin - 2 * DAY, rows[-1] + 1)
        for side in (0, 1):
            learnt, asked = past[half[past] != side], rows[half[rows] == side]
            model = xgb.XGBRegressor(n_estimators=200, max_depth=5, learning_rate=0.05, n_jobs=2)
            model.fit(stream.features[learnt], stream.cost[learnt])
            errors[asked] = np.abs(model.predict(stream.features[asked]) - stream.cost[asked])
    return errors


if __name__ == "__main__":
    import sys
    import time

    S = server(Path(sys.argv[1]), sys.argv[2])
    best = oracle(S)
    t = time.time()

    def show(name, life):
        e = np.abs(life.answers - S.cost)[S.known :]
        d = lambda v: [round(float(v[i : i + DAY].mean()), 2) for i in range(0, len(v), DAY)]
        print(
            name,
            round(time.time() - t),
            "s MAE",
            round(e.mean(), 3),
            "oracle",
            round(best[S.known :].mean(), 3),
            "coverage",
            round(life.covered[S.known :].mean(), 3),
            "runs",
            len(life.runs),
            sum("promoted" in r for _, r in life.runs),
            "anomalies",
            len(life.anomalies),
        )
        print("  ", d(e))
        print("  ", [(round((a - S.known) / DAY, 2), k, f) for a, k, f in life.alarms], flush=True)

    print("oracle", [round(float(best[i : i + DAY].mean()), 2) for i in range(S.known, len(best), DAY)])

    def plan(newest, least):
        return Plan(
            drift=True,
            least_new_rows=least,
            most_per_day=4,
            request=Retrain(n_trials=1, families=("xgboost",), dataset="line", newest_rows=newest),
        )

    which = sys.argv[3:]
    if "plain" in which:
        show("plain", live(S, None))
    for w in which:
        if "," in w:
            n, l, x = w.split(",")
            show(w, live(S, plan(int(n) or None, int(l)), without_anomalies=x == "x"))
