"""How long callers wait at one process, by how busy it is: a queue with one server."""

from collections.abc import Mapping

import numpy as np

SERVICE: Mapping[float, float] = {0.050: 0.99, 2.27: 0.01}
"""Milliseconds a request takes → how often.

One connection in benchmarks/results/serving.md saw 13,877 a second, so 0.072 ms in the mean, half of them within 0.06
and one in a hundred over 2.27 ms (the machine's pauses): these two reproduce that.
"""


def mean_wait(utilisation: float, service: Mapping[float, float] = SERVICE) -> float:
    """Milliseconds in the queue in the mean, by the Pollaczek-Khinchine formula, with Poisson arrivals."""
    mean = sum(time * share for time, share in service.items())
    square = sum(time * time * share for time, share in service.items())
    return utilisation / mean * square / (2 * (1 - utilisation))


def simulate(
    utilisation: float, *, requests: int = 1_000_000, seed: int = 1, service: Mapping[float, float] = SERVICE
) -> tuple[float, float, float]:
    """Milliseconds from arrival to answer: mean, median and 99th percentile of so many requests.

    Lindley's recursion: a request waits as long as the one before it, and its service, minus the time between them, or
    not at all; written as a running sum less its running minimum.
    """
    random = np.random.default_rng(seed)
    times, shares = np.array(list(service)), np.array(list(service.values()))
    served = random.choice(times, requests, p=shares)
    between = random.exponential(times @ shares / utilisation, requests)
    walk = np.concatenate([[0.0], np.cumsum(served[:-1] - between[1:])])
    taken = walk - np.minimum.accumulate(walk) + served
    return float(taken.mean()), float(np.median(taken)), float(np.percentile(taken, 99))
