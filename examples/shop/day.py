"""The shape of a day: how many visitors come, what they do, how long they think."""

import math
import random
from collections.abc import Iterator

HOURS = (0, 3, 6, 8, 10, 12, 13, 15, 17, 19, 20.5, 22, 24)
LEVELS = (0.22, 0.14, 0.2, 0.5, 0.82, 0.95, 0.75, 0.85, 0.8, 0.9, 1.0, 0.6, 0.22)
"""Of the busiest moment; straight lines between."""


def level(hour: float) -> float:
    """The share of the busiest moment's visitors, 0 to 1.

    Args:
        hour: Of the day, 0 to 24.
    """
    after = next(place for place, bound in enumerate(HOURS) if hour <= bound) or 1
    share = (hour - HOURS[after - 1]) / (HOURS[after] - HOURS[after - 1])
    return LEVELS[after - 1] + share * (LEVELS[after] - LEVELS[after - 1])


def think_seconds(hour: float) -> float:
    """How long a visitor looks at a page on average; in the evening they take their time."""
    return 2.5 + 1.5 * max(0.0, math.sin(math.pi * (hour - 12) / 12))


def route(hour: float, chance: random.Random) -> str:
    """What a visitor asks for next; there is more buying in the evening."""
    buying = 0.05 + 0.05 * max(0.0, math.sin(math.pi * (hour - 14) / 10))
    weights = {"browse": 0.45, "product": 0.3, "search": 0.25 - buying, "checkout": buying}
    return chance.choices(list(weights), list(weights.values()))[0]


def unrest(chance: random.Random, step_seconds: float, day_seconds: float) -> Iterator[float]:
    """What the visitors are multiplied by from step to step: a slow wandering, and about four bursts a day."""
    wandering, burst, left = 0.0, 1.0, 0.0
    memory = math.exp(-step_seconds / (day_seconds / 60))
    while True:
        wandering = memory * wandering + chance.gauss(0, 0.18) * math.sqrt(1 - memory**2)
        left -= step_seconds
        if left <= 0 and chance.random() < 4 * step_seconds / day_seconds:
            burst, left = chance.uniform(1.3, 1.8), chance.uniform(0.01, 0.03) * day_seconds
        yield math.exp(wandering) * (burst if left > 0 else 1.0)
