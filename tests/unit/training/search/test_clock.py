"""How a search parts its seconds: what it keeps for the final fits and drafts, and what a trial may take."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from perfcast.training import Budget
from perfcast.training._clock import FINAL_FIT, SECOND_FIT, Clock, drafting
from perfcast.training.families import Lesson, families

FITS = FINAL_FIT + SECOND_FIT
TOOK = {"xgboost": 0.5, "neural_network": 8.0, "polynomial": 0.1, "random_forest": 0.3}


def clock(**given: object) -> Clock:
    return replace(Clock(Budget(1000, 60.0), took=dict(TOOK), slots=2, rows=2400), **given)


def test_little_is_kept_for_the_drafts_of_few_rows() -> None:
    kept = 60 - clock().left()
    assert FITS * 8.0 + 2 < kept < FITS * 8.0 + 3


def test_more_is_kept_for_the_drafts_of_many_rows() -> None:
    assert clock(rows=2400).left() > clock(rows=13_000).left() + 1.5
    assert drafting(4, 13_000) < 6


def test_a_trial_its_final_fits_and_all_drafts_fit_into_the_time() -> None:
    seconds = clock().trial_seconds("neural_network", starts_left=0)
    assert 0.85 * 60 < seconds + FITS * seconds + drafting(4, 2400) <= 60


def test_time_is_kept_for_all_members_side_by_side() -> None:
    long = Budget(1000, 200.0)
    alone, four = clock(budget=long), clock(budget=long, members={"neural_network": 4})
    assert alone.left() - four.left() == pytest.approx(FITS * ((4 * 8.0 + 0.9) / 2 - 8.0), abs=0.01)
    assert four.trial_seconds("neural_network", starts_left=0) < 0.7 * alone.trial_seconds(
        "neural_network", starts_left=0
    )


def test_an_unlimited_search_keeps_nothing() -> None:
    unlimited = clock(budget=Budget(10))
    assert unlimited.left() == unlimited.trial_seconds("xgboost", starts_left=1) == float("inf")


@pytest.fixture
def hurried(make_lesson: Callable[..., Lesson]) -> Lesson:
    return replace(make_lesson(), seconds=3.0)


def test_a_network_shortens_its_schedule_to_the_time_it_has(hurried: Lesson) -> None:
    network, guard, asked = families()["neural_network"], time.monotonic() + 60, []
    settings = {**network.start(hurried), "width": 48, "epochs": 100_000}
    fitted = network.fit(
        hurried, settings, stop=lambda: time.monotonic() > guard, report=lambda step, _: asked.append(step)
    )
    assert time.monotonic() < guard
    assert 2 < fitted.settings["epochs"] < 100_000
    assert asked == sorted(set(asked))
    assert asked[-1] == 10


def test_a_network_with_enough_time_runs_its_whole_schedule(make_lesson: Callable[..., Lesson]) -> None:
    network, lesson = families()["neural_network"], make_lesson(300, held=100)
    settings = {**network.start(lesson), "epochs": 4}
    for seconds in (float("inf"), 600.0):
        assert network.fit(replace(lesson, seconds=seconds), settings).settings == settings
