"""The truth that a model tries to learn, as a function: utilisation from load."""

from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike

from ._calendar import Floats, as_utc
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
