"""One run of a scenario, from the load to the rows that a scraper collects."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perfcast.workloads import clock_columns

from ._calendar import Floats, Times, as_utc
from ._load import active_users, request_rate
from ._observation import counter_rate, read_utilization, scrapes
from ._scenario import Scenario
from ._series import correlated_noise
from ._service import collections, cron_cores, demand, expected_utilization, fixed_cores, open_connections, utilization

FEATURES = (
    "request_rate",
    "active_users",
    "db_connections",
    "hour_sin",
    "hour_cos",
    "minute_sin",
    "minute_cos",
    "is_business_hour",
)
COST = "cpu_utilization"
MEASURED_AT = "measured_at"


@dataclass(frozen=True)
class Simulation:
    """Rows as a scraper collected them, and the truth behind them.

    Attributes:
        measured_at: End of each row's window, datetime64[ms] [rows], UTC, increasing.
        features: float32 [rows, 8] in the order of `FEATURES`.
        cpu_utilization: Percent 0-100, float32 [rows].
        truth: What observation hides, each float64 [rows]: the `demand` (CPU-seconds per request without noise and
            garbage collection), the utilisation (percent) `expected` of the true loads, and the `actual` one.
    """

    scenario: Scenario
    measured_at: Times
    features: NDArray[np.float32]
    cpu_utilization: NDArray[np.float32]
    truth: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.measured_at)

    def columns(self) -> dict[str, NDArray[Any]]:
        """The features in their order, `cpu_utilization`, `measured_at`; each [rows]."""
        loads: dict[str, NDArray[Any]] = {name: self.features[:, index] for index, name in enumerate(FEATURES)}
        return {**loads, COST: self.cpu_utilization, MEASURED_AT: self.measured_at}


@dataclass(frozen=True)
class _Steps:
    """The service at each step, all float64 [steps] (units as in the features)."""

    rate: Floats
    users: Floats
    connections: Floats
    demand: Floats
    expected: Floats
    actual: Floats


def simulate(scenario: Scenario) -> Simulation:
    """Run a scenario: the observed rows and their truth; the same scenario gives the same bytes.

    Requests, their rate, users, service and observation each draw from a stream of their own, so that
    changing one (a deploy, say) leaves the randomness of the load as it was.

    Example:
        >>> simulation = simulate(Scenario(days=1))
        >>> simulation.features.shape[1], bool((simulation.cpu_utilization <= 100).all())
        (8, True)
    """
    streams = [np.random.default_rng(child) for child in np.random.SeedSequence(scenario.seed).spawn(5)]
    steps = _run(scenario, streams)
    return _observe(scenario, steps, streams[4])


def _run(scenario: Scenario, streams: list[np.random.Generator]) -> _Steps:
    service, seconds = scenario.service, scenario.step_seconds
    middle = _moments(scenario, (np.arange(scenario.steps) + 0.5) * seconds)
    arrivals = streams[0].poisson(request_rate(scenario, middle, streams[1]) * seconds).astype(np.float64)
    rate = arrivals / seconds
    users = active_users(scenario, rate, streams[2])
    per_request = demand(scenario, middle)
    noisy_work = (
        rate * per_request * np.exp(service.demand_noise * _noise(scenario, service.demand_noise_minutes, streams[3]))
    )
    mean = np.sqrt(2.0 / np.pi)  # of a half-normal; `base_cores` holds it already
    neighbours = service.neighbour_cores * (np.abs(_noise(scenario, service.neighbour_minutes, streams[3])) - mean)
    noisy_work += cron_cores(scenario, middle) + neighbours
    noisy_work += collections(service, arrivals) * service.gc_cpu_seconds / seconds
    without_pool = fixed_cores(service, users, np.zeros_like(users)) + noisy_work
    connections = open_connections(scenario, rate, without_pool, streams[3])
    actual = utilization(service, fixed_cores(service, users, connections) + noisy_work)
    expected = expected_utilization(scenario, rate, users, connections, at=middle)
    return _Steps(rate, users, connections, per_request, expected, actual)


def _noise(scenario: Scenario, minutes: float, rng: np.random.Generator) -> Floats:
    return correlated_noise(rng, scenario.steps, steps_of_memory=minutes * 60.0 / scenario.step_seconds)


def _observe(scenario: Scenario, steps: _Steps, rng: np.random.Generator) -> Simulation:
    seconds, keep = scrapes(scenario, rng)
    seen = read_utilization(scenario, steps.actual, rng)
    measured_at = _moments(scenario, seconds)
    columns = {
        "request_rate": counter_rate(steps.rate, seconds, scenario.step_seconds),
        "active_users": steps.users,
        "db_connections": steps.connections,
        **clock_columns(measured_at, FEATURES[3:], UTC),
    }
    features = np.stack([columns[name] for name in FEATURES], axis=1).astype(np.float32)
    truth = {name: getattr(steps, name)[keep] for name in ("demand", "expected", "actual")}
    return Simulation(scenario, measured_at[keep], features[keep], seen.astype(np.float32)[keep], truth)


def _moments(scenario: Scenario, seconds: NDArray[np.floating]) -> Times:
    return as_utc(as_utc(scenario.start) + np.round(seconds * 1_000.0).astype("timedelta64[ms]"))
