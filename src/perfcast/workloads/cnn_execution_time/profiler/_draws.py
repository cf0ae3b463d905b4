"""Draws that all samplers make."""

import math
import random


def draw_batch(rng: random.Random, most: int) -> int:
    """Images a call: a fifth single, half a power of two up to 128, else log-uniform up to the most."""
    kind = rng.random()
    if kind < 0.2:
        return 1
    if kind < 0.7:
        return int(2 ** rng.randint(0, 7))
    return draw_size(rng, 1, most)


def draw_size(rng: random.Random, low: int, high: int) -> int:
    """A log-uniform integer from low to high, both included."""
    return int(math.exp(rng.uniform(math.log(low), math.log(high + 1))))
