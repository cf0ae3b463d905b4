"""The truth that a model tries to learn, as functions: utilisation from load, and load from utilisation."""

from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike

from ._calendar import Floats, as_utc
from ._scaling import peak_cores, work_done
from ._scenario import Scenario
from ._service import cron_cores, demand, fixed_cores, utilization


def expected_utilization(
    scenario: Scenario,
    request_rate: ArrayLike,
    active_users: ArrayLike,
    db_connections: ArrayLike,
    *,
    at: ArrayLike | datetime,
) -> Floats:
    """Utilisation without any noise; the arguments broadcast against each other.

    Garbage collection counts with its mean. Non-decreasing in each of the three loads.

    Args:
        scenario: The scenario.
        request_rate: Requests/s, >= 0.
        active_users: Active users, >= 0.
        db_connections: Open database connections, >= 0.
        at: The moment (`datetime64` in UTC, or a `datetime`), which decides the mix of requests, cron jobs
            and deploys.

    Returns:
        Percent 0 to `cap_percent`, float64 of the broadcast shape.

    Example:
        >>> from datetime import UTC, datetime
        >>> noon = datetime(2025, 1, 8, 12, 30, tzinfo=UTC)
        >>> round(float(expected_utilization(Scenario(), 120, 60, 25, at=noon)), 1)
        51.9
    """
    moment = as_utc(at)
    rate, users, connections = (
        np.asarray(load, dtype=np.float64) for load in (request_rate, active_users, db_connections)
    )
    fixed = fixed_cores(scenario.service, users, connections) + cron_cores(scenario, moment)
    return utilization(scenario.service, fixed + rate * demand_with_collections(scenario, at))


def demand_with_collections(scenario: Scenario, at: ArrayLike | datetime) -> Floats:
    """CPU-seconds per request with the mean of its garbage collection, float64 of the shape of `at`."""
    service = scenario.service
    return demand(scenario, as_utc(at)) + service.gc_cpu_seconds / service.gc_requests


def max_request_rate(
    scenario: Scenario,
    limit: float,
    *,
    at: ArrayLike | datetime,
    active_users: float = 0.0,
    db_connections: float = 0.0,
    users_per_rate: float = 0.0,
    connections_per_rate: float = 0.0,
) -> float:
    """The largest request rate at which `expected_utilization` does not exceed a limit, by exact inversion.

    Users and connections stay where they are, or grow with the rate: users = `active_users` +
    `users_per_rate` x rate, and likewise connections.

    Args:
        scenario: The scenario.
        limit: Percent 0-100.
        at: One moment.
        active_users: Active users that don't depend on the rate.
        db_connections: Open connections that don't depend on the rate.
        users_per_rate: Active users for each request/s.
        connections_per_rate: Open connections for each request/s.

    Returns:
        Requests/s; 0 where the limit is exceeded even without requests, infinity where no rate exceeds it
        (at or above the cap, which throttles).
    """
    service = scenario.service
    if limit >= service.cap_percent:
        return float("inf")
    cores = min(limit / 100.0 * service.cores, peak_cores(service.contention, service.coherency))
    allowed = float(work_done(cores, service.contention, service.coherency))
    fixed = fixed_cores(service, np.asarray(active_users), np.asarray(db_connections))
    spare = allowed - float(fixed + cron_cores(scenario, as_utc(at)))
    slope = float(demand_with_collections(scenario, at))
    slope += service.cores_per_user * users_per_rate + service.cores_per_connection * connections_per_rate
    if spare < 0.0:
        return 0.0
    return spare / slope if slope > 0.0 else float("inf")
