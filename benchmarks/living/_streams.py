"""What is lived through: minutes of real servers, and of a simulated service."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from perfcast.datasets import Dataset
from perfcast.workloads import Workload, builtin_workloads, workload_from_document
from perfcast.workloads.cpu_utilization.simulator import Scenario, simulate
from perfcast.workloads.cpu_utilization.simulator._scenario import Deploy, Service

FEATURES = ("passive_opens", "curr_estab", "active_opens", "in_segs", "tcp_use")
BEGIN = np.datetime64("2026-03-02T00:00")
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
    labelled: np.ndarray | None = None
    """Rows that the data's authors call anomalous, bool [rows]."""

    def dataset(self, first: int, last: int, leave: np.ndarray | None = None) -> Dataset:
        """The rows between two positions, but for some."""
        rows = np.arange(first, last)
        rows = rows if leave is None else rows[~leave[rows]]
        return Dataset("line", self.workload, self.features[rows], self.cost[rows], self.moments[rows])

    def moment(self, at: int) -> datetime:
        """When a row was measured."""
        return self.moments[at].astype("datetime64[us]").item().replace(tzinfo=UTC)


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
    labelled = np.concatenate([np.zeros(len(parts[0]), dtype=bool), parts[1]["anomaly"].to_numpy() > 0])
    return Stream(name, workload_from_document(document), features, cost, moments, len(parts[0]), labelled)


def simulated(days: float, known_days: float, *, seed: int, demand: float = 1.0, at: float = 0.0) -> Stream:
    """A service a row a minute, whose requests need so many times the CPU from a day on."""
    deploys = (Deploy(day=at, demand_factor=demand),) if demand != 1 else ()
    scenario = Scenario(days=days, seed=seed, service=replace(Service(), deploys=deploys))
    simulation = simulate(scenario)
    workload = builtin_workloads()["cpu-utilization"]
    columns = simulation.columns()
    features = np.stack([columns[name] for name in workload.feature_names], axis=1).astype(np.float32)
    moments = columns["measured_at"].astype("datetime64[us]")
    known = int((moments < moments[0] + np.timedelta64(int(known_days * DAY), "m")).sum())
    return Stream(
        f"simulated {seed}", workload, features, columns["cpu_utilization"].astype(np.float32), moments, known
    )
