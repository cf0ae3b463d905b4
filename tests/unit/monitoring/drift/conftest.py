"""A service whose load has the shape of a day, a model that knows its cost but for noise, and time that can be told."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.drafts import draft, weighted

from perfcast.datasets import Dataset
from perfcast.manifest import Manifest
from perfcast.monitoring import Record
from perfcast.monitoring._judged import Judged
from perfcast.monitoring.drift import Anomaly, Drift, read_anomalies, read_findings
from perfcast.registry import Version
from perfcast.sessions import Costs
from perfcast.storage import Database, time_text
from perfcast.training.judging import calibrate, make_reference
from perfcast.workloads import Rows, Workload, builtin_workloads

CPU = builtin_workloads()["cpu-utilization"]
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
WEIGHTS = {"request_rate": 0.1, "active_users": 0.05}


def load(workload: Workload, minutes: int, *, seed: int, step: int = 5) -> tuple[Rows, Rows]:
    """Features and costs, a row every `step` minutes from midnight on; neighbouring errors are alike."""
    random = np.random.default_rng(seed)
    at = np.arange(0, minutes, step)
    rate = 250 + 150 * np.sin(2 * np.pi * at / 1440) + random.normal(0, 15, len(at))
    noise = np.zeros(len(at))
    for place in range(1, len(at)):
        noise[place] = 0.6 * noise[place - 1] + random.normal(0, 0.8)
    features = np.zeros((len(at), len(workload.features)), dtype=np.float32)
    columns = {"request_rate": rate, "active_users": 0.4 * rate + random.normal(0, 5, len(at)), "db_connections": 20}
    columns |= {"hour_sin": np.sin(2 * np.pi * at / 1440), "db_connections": np.round(0.1 * rate)}
    for name, values in columns.items():
        features[:, workload.feature_names.index(name)] = values
    return features, np.clip(predicted(workload, features) + noise, 0, 100).astype(np.float32)


def predicted(workload: Workload, features: Rows) -> Rows:
    """The cost but for noise."""
    weights = [WEIGHTS.get(name, 0.0) for name in workload.feature_names]
    return (features @ np.array(weights, dtype=np.float32)).astype(np.float32)


@cache
def manifest(days: int = 20) -> Manifest:
    """Of a version that learnt from so many days."""
    features, cost = load(CPU, days * 1440, seed=1)
    moments = np.datetime64("2026-02-01T00:00") + 5 * np.arange(len(cost)).astype("timedelta64[m]")
    split = Dataset("line", CPU, features, cost, moments.astype("datetime64[us]")).split()
    answers = Costs(predicted(CPU, split.calibrate.features)), Costs(predicted(CPU, split.test.features))
    calibration = calibrate(CPU, split.calibrate.cost, *answers[0])
    low, high = split.train.features.min(axis=0).tolist(), split.train.features.max(axis=0).tolist()
    ranges = {name: (a, b) for name, a, b in zip(CPU.feature_names, low, high, strict=True)}
    made = draft(CPU, weighted(CPU, **WEIGHTS), ranges=ranges).manifest
    reference = make_reference(CPU, split, answers, calibration)
    return msgspec.structs.replace(made, calibration=calibration, reference=reference)


@dataclass
class Watch:
    """A watcher, and what it is told."""

    database: Database
    watcher: Drift
    signals: list[tuple[str, str, str]]
    minute: int = 0
    version: int = 1

    def live(self, days: float, change: Callable[[Rows, Rows], tuple[Rows, Rows]] | None = None, **how: object) -> None:
        """So much time goes by, in which inputs and costs may be changed after the fact, told hour by hour."""
        rows = int(days * 1440)
        features, cost = load(CPU, rows, seed=self.minute + 7)
        if change is not None:
            features, cost = change(features, cost)
        answers = predicted(CPU, features)
        for begin in range(0, len(cost), 12):
            records = [
                self.record(self.minute + 5 * at, features[at].tolist(), float(answers[at]))
                for at in range(begin, min(begin + 12, len(cost)))
            ]
            self.tell(records, [] if how.get("without_actuals") else cost[begin : begin + 12].tolist())
        self.minute += rows

    def record(self, minute: int, row: list[float], cost: float) -> Record:
        calibration = manifest().calibration
        assert calibration is not None
        bounds = calibration.interval(cost, 0.9) or (None, None)
        at = time_text(BEGIN + timedelta(minutes=minute))
        return Record(f"{minute:08x}", "m", self.version, row, cost, *bounds, at)

    def tell(self, records: list[Record], costs: list[float]) -> None:
        with self.database.begin() as connection:
            self.watcher.predicted(connection, records)
            if costs:
                judged = [Judged(one, cost, one.at) for one, cost in zip(records, costs, strict=True)]
                self.watcher.judged(connection, judged)
        self.watcher.after()

    @property
    def found(self) -> dict[str, Any]:
        """What it has come to; empty where nothing is watched."""
        with self.database.read() as connection:
            return read_findings(connection, "m") or {}

    @property
    def alarms(self) -> set[tuple[str, str | None]]:
        return {(one["kind"], one["feature"]) for one in self.found.get("findings", ()) if one["alarm"]}

    @property
    def anomalies(self) -> list[Anomaly]:
        with self.database.read() as connection:
            return read_anomalies(connection, "m")


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    database = Database(f"sqlite:///{tmp_path / 'perfcast.db'}")
    database.migrate()
    yield watching(database)
    database.close()


def watching(database: Database) -> Watch:
    signals: list[tuple[str, str, str]] = []
    known = {1: manifest(), 2: manifest(), 3: msgspec.structs.replace(manifest(), reference=None)}

    def version_of(model: str, number: int) -> Version | None:
        return Version(model, number, None, known[number], "", "") if number in known else None

    watcher = Drift(version_of, lambda *said: signals.append(said), clock=lambda: BEGIN + timedelta(days=60))
    return Watch(database, watcher, signals)
