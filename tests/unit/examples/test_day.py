"""The shop's visitors: the shape of their day, and how many come at once."""

import random
from importlib import import_module
from itertools import islice

import pytest


def test_noon_is_busier_than_night_and_the_day_ends_as_it_begins() -> None:
    level = import_module("day").level
    assert level(3) < level(8) < level(12)
    assert level(0) == pytest.approx(level(24))
    assert max(level(hour / 10) for hour in range(241)) == pytest.approx(1)


def test_their_number_is_what_is_expected_on_average() -> None:
    poisson = import_module("visitors")._poisson
    chance = random.Random(1)
    drawn = [poisson(1.6, chance) for _ in range(20_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(1.6, abs=0.05)


def test_there_are_bursts_but_mostly_none() -> None:
    unrest = import_module("day").unrest
    factors = list(islice(unrest(random.Random(1), 0.5, 1200), 24_000))
    assert 0.9 < sorted(factors)[len(factors) // 2] < 1.2
    assert max(factors) > 1.5
