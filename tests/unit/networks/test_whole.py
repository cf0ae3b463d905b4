"""What measured networks teach about sums of calls, on made-up devices whose truth is known."""

import math

import numpy as np
import pytest

from perfcast.networks._whole import FEWEST, Measured, learn_whole


def device(truth: tuple[float, ...], *, networks: int = 20, noise: float = 0.0, seed: int = 0) -> list[Measured]:
    """Networks of a device whose time is `truth` times their terms."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(networks):
        times = [random.uniform(1, 200), random.uniform(1, 60), random.uniform(0, 20), -random.uniform(0, 20)]
        one = np.array([*times, random.uniform(20, 500), *random.uniform(5, 500, 2)])
        for batch in (1, 8):
            terms = one * (batch, batch, batch, batch, 1, 1, batch)
            ms = float(terms @ np.array(truth)) * math.exp(noise * random.normal())
            found.append(Measured(f"network{number}", batch, terms, ms))
    return found


@pytest.mark.parametrize(
    "truth",
    [
        (1.0, 1.0, 0.5, 1.0, 0.0, 0.0, 0.0),
        (1.1, 0.9, 0.6, 1.1, 0.004, 0.002, 0.03),
        (0.9, 1.2, 0.4, 0.9, 0.0, 0.01, 0.0),
    ],
)
def test_a_devices_way_of_adding_up_is_found(truth: tuple[float, ...]) -> None:
    known, asked = device(truth, networks=60), device(truth, seed=1)
    whole = learn_whole(known)
    assert whole is not None
    assert whole.networks == 60
    for item in asked:
        assert float(whole.each(item.terms)) == pytest.approx(item.ms, rel=0.04)


def test_nothing_is_ever_taken_off_for_more_work() -> None:
    whole = learn_whole(device((0.8, 1.3, 0.5, 1.0, 0.0, 0.0, 0.0), noise=0.2))
    assert whole is not None
    assert min(whole.coefficients) >= 0


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_intervals_hold_as_often_as_they_say(coverage: float) -> None:
    held = []
    for seed in range(30):
        whole = learn_whole(device((1.1, 1.0, 0.5, 1.0, 0.002, 0.001, 0.01), noise=0.1, seed=seed))
        assert whole is not None
        asked = device((1.1, 1.0, 0.5, 1.0, 0.002, 0.001, 0.01), noise=0.1, seed=1000 + seed, networks=10)
        held += [
            abs(math.log(item.ms / float(whole.each(item.terms)))) <= math.log(whole.spread(item.terms, coverage))
            for item in asked
        ]
    assert np.mean(held) == pytest.approx(coverage, abs=0.06)


def test_greater_coverage_is_wider_also_beyond_what_so_few_networks_tell() -> None:
    known = device((1.0, 1.0, 0.5, 1.0, 0.01, 0.0, 0.0), networks=FEWEST, noise=0.1)
    whole = learn_whole(known)
    assert whole is not None
    widths = [whole.spread(known[0].terms, coverage) for coverage in (0.5, 0.8, 0.9, 0.95, 0.99)]
    assert widths == sorted(set(widths))


def test_a_sum_that_no_model_tells_is_less_sure() -> None:
    whole = learn_whole(device((1.0, 1.0, 0.5, 1.0, 0.01, 0.0, 0.0), noise=0.1))
    assert whole is not None
    told, added = np.array([50.0, 10, 0, 0, 0, 0, 0]), np.array([5.0, 1, 0, 0, 2000, 0, 0])
    assert whole.spread(added, 0.9) > whole.spread(told, 0.9)


def test_too_few_networks_teach_nothing() -> None:
    assert learn_whole(device((1.0, 1.0, 0.5, 1.0, 0.0, 0.0, 0.0), networks=FEWEST - 1)) is None
    assert learn_whole([]) is None
