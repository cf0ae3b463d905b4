"""Acceptance by halves of the rounds, the plan of a round, and the time of one call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.errors import InvalidSetting
from perfcast.workloads.cnn_execution_time.profiler import ProfileOptions
from perfcast.workloads.cnn_execution_time.profiler._journal import Block
from perfcast.workloads.cnn_execution_time.profiler._rounds import Measurements, Reading, half_spread, round_plan
from perfcast.workloads.cnn_execution_time.profiler._runners import TooSlowError, time_call

AT = "2026-01-01T00:00:00Z"


def readings(*times_ms: float) -> list[Reading]:
    """Return one reading for each round from 1."""
    return [Reading(number, ms, 1.0, AT) for number, ms in enumerate(times_ms, start=1)]


def measured(*times_ms: float) -> Measurements:
    """Return measurements of one configuration, one time a round."""
    measurements = Measurements(1)
    for number, ms in enumerate(times_ms, start=1):
        measurements.add(Block(number, AT, 1.0, ((0, ms),)))
    return measurements


def options(**changes: object) -> ProfileOptions:
    """Return options with four base rounds and at most six."""
    from pathlib import Path

    settings: dict[str, object] = {"output": Path("unused"), "rounds": 4, "max_rounds": 6, **changes}
    return ProfileOptions(**settings)  # type: ignore[arg-type]


def test_the_spread_compares_the_best_of_odd_and_even_rounds() -> None:
    assert half_spread(readings(1.0, 5.0, 9.0, 1.1)) == pytest.approx(0.1)


def test_one_half_alone_has_no_spread() -> None:
    assert half_spread(readings(1.0)) is None
    assert half_spread([]) is None


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=12))
def test_the_spread_is_never_negative_and_does_not_depend_on_the_order(times_ms: list[float]) -> None:
    spread = half_spread(readings(*times_ms))
    assert spread is not None
    assert spread >= 0
    assert half_spread(reversed(readings(*times_ms))) == spread


def test_a_configuration_is_accepted_when_halves_agree_after_the_base_rounds() -> None:
    assert measured(1.0, 1.04, 2, 2).accepted(0, tolerance=0.05, rounds=4)
    assert not measured(1.0, 1.06, 2, 2).accepted(0, tolerance=0.05, rounds=4)
    assert not measured(1.0, 1.0).accepted(0, tolerance=0.05, rounds=4)


def test_a_further_round_can_bring_a_slow_half_down() -> None:
    assert not measured(1.0, 1.5, 1.0, 1.4, 1.0).accepted(0, tolerance=0.05, rounds=4)
    assert measured(1.0, 1.5, 1.0, 1.4, 1.0, 1.01).accepted(0, tolerance=0.05, rounds=4)


def test_base_rounds_measure_everything_and_further_ones_only_what_is_not_accepted() -> None:
    measurements = Measurements(2)
    for number in range(1, 5):
        slow = 2.0 if number % 2 else 1.0
        measurements.add(Block(number, AT, 1.0, ((0, 1.0), (1, slow))))
    assert round_plan(5, measurements, options()) == [1]
    assert sorted(round_plan(4, Measurements(2), options())) == [0, 1]


def test_an_interrupted_round_goes_on_with_what_it_has_not_measured() -> None:
    measurements = Measurements(4)
    measurements.add(Block(1, AT, 1.0, ((2, 1.0),), ((0, "too slow"),)))
    assert sorted(round_plan(1, measurements, options())) == [1, 3]
    assert sorted(round_plan(2, measurements, options())) == [1, 2, 3]


def test_an_interrupted_further_round_keeps_the_plan_it_began_with() -> None:
    measurements = measured(1.0, 2.0, 1.0, 2.0)
    measurements.count = 1
    assert round_plan(5, measurements, options()) == [0]
    measurements.add(Block(5, AT, 1.0, ((0, 1.9),)))
    assert round_plan(5, measurements, options()) == []
    assert round_plan(6, measurements, options()) == [0]


def test_each_round_has_its_own_order() -> None:
    orders = {tuple(round_plan(number, Measurements(30), options())) for number in range(1, 5)}
    assert len(orders) == 4


def test_the_sentinel_ratio_is_relative_to_its_best_so_far() -> None:
    measurements = Measurements(0)
    assert measurements.note_sentinel(2.0) == 1.0
    assert measurements.note_sentinel(3.0) == 1.5
    assert measurements.note_sentinel(1.0) == 1.0
    assert measurements.note_sentinel(2.0) == 2.0


def test_the_least_time_of_the_batches_counts() -> None:
    durations = iter([9.0, 0.004, 0.003, 0.005])
    assert time_call(lambda calls: next(durations), 0.01) == 0.003


def test_short_calls_are_batched_to_a_millisecond() -> None:
    batches: list[int] = []

    def timer(calls: int) -> float:
        batches.append(calls)
        return calls * 1e-5

    assert time_call(timer, 0.005) == pytest.approx(1e-5)
    assert batches[-1] in range(100, 102)
    assert sum(calls >= 100 for calls in batches) >= 5


def test_a_call_longer_than_allowed_is_refused_with_both_times() -> None:
    with pytest.raises(TooSlowError, match="one call takes 300 ms, more than 200 ms"):
        time_call(lambda calls: 0.3, 0.01, longest=0.2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rounds": 1}, "2 <= rounds <= max_rounds"),
        ({"rounds": 8}, "2 <= rounds <= max_rounds"),
        ({"runtime": "tensorflow"}, "runtime is 'tensorflow', expected one of torch, onnxruntime"),
        ({"configurations": 0}, "configurations is 0"),
        ({"tolerance": -0.1}, "tolerance is -0.1"),
        ({"uneven": 1.5}, "uneven is 1.5, expected a share from 0 to 1"),
    ],
)
def test_an_option_that_can_not_be_used_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidSetting, match=words):
        options(**changes)
