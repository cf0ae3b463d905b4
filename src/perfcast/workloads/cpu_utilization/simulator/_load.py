"""The load that reaches the service: requests, and the user sessions that they belong to."""

import numpy as np

from ._calendar import Floats, Times, hour_of_day, is_holiday, weekday
from ._scenario import Scenario, Traffic
from ._series import correlated_noise, first_order

SUNDAY = 6


def weekly_shape(traffic: Traffic, at: Times) -> Floats:
    """The load that the calendar alone explains, relative to `peak_rate`: float64 [steps], >= 0.

    Hours are joined by straight lines; a holiday looks like a Sunday. `at` is datetime64[ms] [steps].
    """
    day = np.where(is_holiday(at, traffic.holidays), SUNDAY, weekday(at))
    days = [traffic.workday_shape] * 5 + [traffic.weekend_shape] * 2
    nodes = np.concatenate(
        [factor * np.array(shape) for factor, shape in zip(traffic.weekday_factors, days, strict=True)]
    )
    hours = day * 24 + hour_of_day(at)
    return np.asarray(np.interp(hours, np.arange(nodes.size) + 0.5, nodes, period=nodes.size), dtype=np.float64)


def request_rate(scenario: Scenario, at: Times, rng: np.random.Generator) -> Floats:
    """Requests/s, float64 [steps], at UTC moments: calendar x growth x (noise + bursts) + flash crowds."""
    traffic, minute = scenario.traffic, 60.0 / scenario.step_seconds
    weeks = np.arange(len(at)) * scenario.step_seconds / (7 * 86_400.0)
    growth = (1.0 + traffic.growth_per_week) ** weeks
    noise = correlated_noise(rng, len(at), steps_of_memory=traffic.noise_minutes * minute)
    bursts = _bursts(scenario, rng, len(at))
    crowds = _flash_crowds(scenario, rng, len(at))
    usual = weekly_shape(traffic, at)
    return traffic.peak_rate * growth * (usual * (np.exp(traffic.noise * noise) + bursts) + crowds)


def _bursts(scenario: Scenario, rng: np.random.Generator, steps: int) -> Floats:
    """Bursts come by chance, jump to an exponentially distributed height and decay."""
    traffic = scenario.traffic
    begin = rng.random(steps) < traffic.bursts_per_day * scenario.step_seconds / 86_400.0
    height = rng.exponential(traffic.burst_size, steps)
    return first_order(begin * height, np.exp(-scenario.step_seconds / (60.0 * traffic.burst_minutes)))


def _flash_crowds(scenario: Scenario, rng: np.random.Generator, steps: int) -> Floats:
    """Crowds gather over a quarter of the time in which they disperse."""
    traffic = scenario.traffic
    count = min(round(traffic.flash_crowds_per_week * scenario.days / 7.0), steps)
    impulses = np.zeros(steps)
    impulses[rng.choice(steps, size=count, replace=False)] = traffic.flash_crowd_size
    slow = np.exp(-scenario.step_seconds / (60.0 * traffic.flash_crowd_minutes))
    fast = slow**4
    # The difference of the two decays rises first; its peak in continuous time is 3 / 4^(4/3).
    rise_and_fall = first_order(impulses, slow) - first_order(impulses, fast)
    return np.asarray(rise_and_fall * 4.0 ** (4.0 / 3.0) / 3.0, dtype=np.float64)


def active_users(scenario: Scenario, rate: Floats, rng: np.random.Generator) -> Floats:
    """Users in a session, whole numbers as float64 [steps]: an M/M/infinity queue that requests (`rate`, per s) feed.

    The mean follows dN/dt = arrivals - N / session; around it the number fluctuates with a variance equal to
    the mean and a correlation time of one session. In a steady state Little's law holds: users = session
    arrivals/s x session seconds (Little 1961, "A Proof for the Queuing Formula L = lambda W").
    """
    traffic = scenario.traffic
    memory = traffic.session_seconds / scenario.step_seconds
    stay = float(np.exp(-1.0 / memory))
    steady = rate * traffic.sessions_per_request * traffic.session_seconds
    drive = (1.0 - stay) * steady
    drive[:1] = steady[:1]
    mean = first_order(drive, stay)
    noise = correlated_noise(rng, len(rate), steps_of_memory=memory)
    return np.asarray(np.round(np.maximum(mean + np.sqrt(mean) * noise, 0.0)), dtype=np.float64)
