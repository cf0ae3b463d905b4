"""The service itself: how load becomes demand, open connections and busy cores."""

from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._calendar import Floats, Times, as_utc, hour_of_day, is_business_time
from ._scaling import busy_cores
from ._scenario import CronJob, Scenario, Service
from ._series import slow_release


def demand(scenario: Scenario, at: Times) -> Floats:
    """CPU-seconds that one request takes on average on an idle machine, of the shape of `at` (UTC).

    The mix of request classes changes with business hours, deploys step it, and just after a deploy
    caches and compilers are cold. Garbage collection is left out.
    """
    service = scenario.service
    usual = sum(kind.share * kind.cpu_seconds for kind in service.request_classes)
    business = sum(kind.business_share * kind.cpu_seconds for kind in service.request_classes)
    mixed = np.where(is_business_time(at), business, usual)
    days = (at - as_utc(scenario.start)) / np.timedelta64(86_400_000, "ms")
    for deploy in service.deploys:
        minutes = np.maximum(days - deploy.day, 0.0) * 1_440.0
        cold = 1.0 + service.warm_up_factor * np.exp(-minutes / service.warm_up_minutes)
        mixed = mixed * np.where(days >= deploy.day, deploy.demand_factor * cold, 1.0)
    return np.asarray(mixed, dtype=np.float64)


def cron_cores(scenario: Scenario, at: Times) -> Floats:
    """Busy cores of the work that the clock starts, float64 of the shape of `at` (UTC)."""
    minute = hour_of_day(at) * 60.0
    running = [job.cores * _runs(job, minute) for job in scenario.service.cron_jobs]
    return np.asarray(sum(running, np.zeros(at.shape)), dtype=np.float64)


def _runs(job: CronJob, minute_of_day: Floats) -> NDArray[np.bool_]:
    period = 60.0 if job.hour is None else 1_440.0
    begin = job.minute + 60.0 * (job.hour or 0)
    return np.asarray((minute_of_day - begin) % period < job.duration_minutes)


def collections(service: Service, requests: Floats) -> Floats:
    """Full garbage collections in each step: one whenever enough requests have allocated; float64 [steps]."""
    return np.diff(np.floor(np.cumsum(requests) / service.gc_requests), prepend=0.0)


def fixed_cores(service: Service, users: Floats, connections: Floats) -> Floats:
    """Busy cores that no request causes: the idle service, users' sockets, open database connections."""
    per_user, per_connection = service.cores_per_user, service.cores_per_connection
    return np.asarray(service.base_cores + per_user * users + per_connection * connections, dtype=np.float64)


def utilization(service: Service, work: Floats) -> Floats:
    """Percent 0 to `cap_percent` that work, CPU-seconds asked for per second, brings: the knee, then throttling.

    Work beyond the cap is refused, not queued, so each moment stands for itself.
    """
    busy = busy_cores(np.maximum(work, 0.0), service.contention, service.coherency)
    return np.minimum(100.0 * busy / service.cores, service.cap_percent)


def open_connections(scenario: Scenario, rate: Floats, work: Floats, rng: np.random.Generator) -> Floats:
    """Open connections of the pool to the database, whole numbers as float64 [steps].

    Requests hold `rate x hold time` connections on average (Little's law). A busy machine holds them longer,
    by 1 / (1 - utilisation^cores): the multi-server approximation of Gunther, "Analyzing Computer System
    Performance with Perl::PDQ" (Springer 2005). The pool opens more at once, up to its limit, and closes idle
    ones slowly. `work` is that of everything but the connections, CPU-seconds per second.
    """
    service = scenario.service
    busy = np.minimum(utilization(service, work) / 100.0, 0.95)
    held = rng.poisson(rate * service.connection_seconds / (1.0 - busy**service.cores))
    needed = np.clip(held, max(service.pool_minimum, 1e-3), max(service.pool_limit, 1e-3))
    memory = service.pool_idle_seconds / scenario.step_seconds
    return np.floor(slow_release(needed.astype(np.float64), steps_of_memory=memory) + 1e-9)


def expected_utilization(
    scenario: Scenario,
    request_rate: ArrayLike,
    active_users: ArrayLike,
    db_connections: ArrayLike,
    *,
    at: ArrayLike | datetime,
) -> Floats:
    """Utilisation without any noise, percent 0 to `cap_percent`; the loads broadcast against each other.

    Garbage collection counts with its mean. Non-decreasing in each of the three loads. `at`, a moment or many in UTC,
    decides the mix of requests, cron jobs and deploys.

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
    collecting = scenario.service.gc_cpu_seconds / scenario.service.gc_requests
    return utilization(scenario.service, fixed + rate * (demand(scenario, moment) + collecting))
