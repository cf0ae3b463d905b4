"""Thresholds keep false alarms within their budget, on days that they were not made from."""

import numpy as np
import pytest

from perfcast.manifest import BUDGETS, Chart
from perfcast.monitoring.drift import make_chart
from perfcast.monitoring.drift._charts import step


def days(number: int, seed: int) -> list[np.ndarray]:
    """Hours' mean errors: days differ, and neighbouring hours are alike."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        level, hours = np.exp(random.normal(0, 0.15)), np.zeros(24)
        for hour in range(24):
            hours[hour] = 0.6 * hours[hour - 1] + random.normal(0, 0.15)
        found.append(level * np.exp(hours))
    return found


def chart(seed: int = 1) -> Chart:
    return make_chart(days(6, seed), usual=1.0, allowance=0.5, most=4.0, share=1.0)


def alarms(held: Chart, hours: np.ndarray, budget: str = "1.0") -> list[int]:
    total, found = 0.0, []
    for hour, mean in enumerate(hours):
        total = step(held, total, mean)
        if total >= held.thresholds[budget]:
            found.append(hour)
            total = 0.0
    return found


@pytest.mark.parametrize("seed", range(5))
def test_false_alarms_stay_within_the_budget(seed: int) -> None:
    weeks = 100
    fresh = np.concatenate(days(7 * weeks, 100 + seed))
    assert len(alarms(chart(seed), fresh)) <= weeks


def test_a_lasting_rise_is_found_within_a_day_and_one_hour_never_is() -> None:
    usual = np.concatenate(days(10, 50))
    risen = np.concatenate(days(10, 51)) * 2.5
    found = alarms(chart(), np.concatenate([usual, risen]))
    assert 240 <= found[0] <= 264
    single = usual.copy()
    single[100] = 1e9
    assert alarms(chart(), single) == []


def test_a_smaller_budget_has_a_higher_threshold() -> None:
    held = [chart().thresholds[str(budget)] for budget in BUDGETS]
    assert held == sorted(held, reverse=True)
