"""What a scraper sees of the service: late, at times not at all, and with an error."""

import numpy as np
from numpy.typing import NDArray

from ._calendar import Floats
from ._scenario import Observation, Scenario


def scrapes(scenario: Scenario, rng: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    """When the scraper came, seconds since the start, one at each step's end; and whether it brought a row: [steps]."""
    return _due(scenario) + _delays(scenario, rng), ~_outages(scenario.observation, scenario.steps, rng)


def _due(scenario: Scenario) -> Floats:
    return np.asarray(np.arange(1, scenario.steps + 1) * scenario.step_seconds, dtype=np.float64)


def _delays(scenario: Scenario, rng: np.random.Generator) -> Floats:
    """Half-normal, and always shorter than half a step, so that scrapes stay in order."""
    delay = np.abs(rng.normal(0.0, scenario.observation.jitter_seconds, scenario.steps))
    return np.minimum(delay, 0.45 * scenario.step_seconds)


def _outages(observation: Observation, steps: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Outages begin by chance and last geometrically long; how often allows for overlaps."""
    begin_rate = -np.log1p(-observation.missing_share) / observation.outage_scrapes
    begins = np.flatnonzero(rng.random(steps) < -np.expm1(-begin_rate))
    ends = np.minimum(begins + rng.geometric(1.0 / observation.outage_scrapes, begins.size), steps)
    change = np.zeros(steps + 1, dtype=np.int64)
    np.add.at(change, begins, 1)
    np.add.at(change, ends, -1)
    return np.cumsum(change)[:steps] > 0


def counter_rate(per_second: Floats, seconds: Floats, step_seconds: float) -> Floats:
    """What a counter says per second between one scrape and the next, float64 [steps].

    It grows by `per_second` within each step; each scrape, at `seconds` since the start, subtracts the reading before.
    """
    edges = np.arange(len(per_second) + 1) * step_seconds
    total = np.concatenate([[0.0], np.cumsum(per_second * step_seconds)])
    # Scrapes may come up to half a step after the last edge; the last step goes on until then.
    edges, total = (
        np.append(edges, edges[-1] + step_seconds),
        np.append(total, total[-1] + per_second[-1] * step_seconds),
    )
    readings = np.interp(seconds, edges, total)
    return np.asarray(np.diff(readings, prepend=0.0) / np.diff(seconds, prepend=0.0), dtype=np.float64)


def read_utilization(scenario: Scenario, actual: Floats, rng: np.random.Generator) -> Floats:
    """The utilisation as it is reported: percent 0 to `cap_percent`, float64 [steps].

    Another exporter counts CPU time, so `actual` (percent) is scraped with delays of its own, and read with an error.
    """
    seen = counter_rate(actual, _due(scenario) + _delays(scenario, rng), scenario.step_seconds)
    error = rng.normal(0.0, scenario.observation.reading_error, len(seen))
    return np.clip(seen + error, 0.0, scenario.service.cap_percent)
