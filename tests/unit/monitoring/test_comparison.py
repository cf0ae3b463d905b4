"""A comparison that is looked at every hour finds no difference where there is none, and soon one where there is."""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from perfcast.monitoring import Arm
from perfcast.monitoring._comparison import LEAST_HOURS, compare_arms, mean_bounds
from perfcast.storage import Database, insert_or_add, schema, time_text

HOURS = 24 * 14
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
CHAMPION, CHALLENGER = Arm("m", 1, "champion"), Arm("m", 2, "challenger")


def hourly_means(likeness: float, runs: int) -> npt.NDArray[np.float64]:
    """Means of the 60 minutes of each hour, [runs, hours], of a series whose minutes are so like the ones before."""
    rng = np.random.default_rng(5)
    minute = rng.standard_normal(runs) / np.sqrt(1 - likeness**2)
    means = np.zeros((runs, HOURS))
    for at in range(60 * HOURS):
        minute = likeness * minute + rng.standard_normal(runs)
        means[:, at // 60] += np.abs(minute) ** 1.5 * np.sign(minute) / 60  # heavier tails than a normal one's
    return means


def found(values: npt.NDArray[np.float64]) -> int | None:
    """After how many hours somebody who looks at every hour is told of a difference."""
    for hours in range(LEAST_HOURS, len(values) + 1):
        bounds = mean_bounds(values[:hours])
        if bounds is not None and not bounds[0] <= 0 <= bounds[1]:
            return hours
    return None


@pytest.mark.parametrize("likeness", [0.0, 0.6])
def test_false_alarms_stay_within_five_percent_however_often_one_looks(likeness: float) -> None:
    runs = hourly_means(likeness, 400)
    assert np.mean([found(run) is not None for run in runs]) <= 0.05


def test_a_true_difference_is_found_within_days() -> None:
    runs = hourly_means(0.6, 50)
    after = [found(run + 0.75 * runs.std()) for run in runs]
    assert all(hours is not None for hours in after)
    assert np.median([hours for hours in after if hours is not None]) <= 36


def keep(database: Database, arm: Arm, hours: int, error: float) -> None:
    nothing = {column.name: 0 for column in schema.live_accuracy.c if not column.primary_key}
    rng = np.random.default_rng(arm.version)
    rows = [
        {**arm._asdict(), "at": time_text(BEGIN + timedelta(minutes=5 * at)), **nothing, "actuals": 10, "percents": 5}
        | {"absolute": 10 * (error + rng.uniform(0, 0.5)), "percent": 5 * 100 * error}
        for at in range(12 * hours)
    ]
    with database.begin() as connection:
        insert_or_add(connection, schema.live_accuracy, rows)


def test_arms_are_compared_hour_by_hour(database: Database) -> None:
    keep(database, CHAMPION, 40, 2.0)
    keep(database, CHALLENGER, 30, 1.5)
    now = BEGIN + timedelta(hours=29, minutes=30)
    with database.read() as connection:
        told = compare_arms(connection, CHALLENGER, CHAMPION, relative=False, now=now)
        percent = compare_arms(connection, CHALLENGER, CHAMPION, relative=True, now=now)
        early = compare_arms(connection, CHALLENGER, CHAMPION, relative=False, now=BEGIN + timedelta(hours=23))
        alone = compare_arms(connection, Arm("m", 3, "shadow"), CHAMPION, relative=False, now=now)
    assert (told.measure, told.hours, told.significant, told.better) == ("mae", 29, True, "challenger")
    assert None not in (told.difference, told.lower, told.upper)
    assert told.difference == pytest.approx(-0.5, abs=0.05)
    assert told.lower < told.difference < told.upper < 0  # type: ignore[operator]
    assert percent.measure == "mape"
    assert percent.difference == pytest.approx(-50)
    assert (early.hours, early.lower, early.significant, early.better) == (23, None, False, None)
    assert (alone.hours, alone.difference, alone.better) == (0, None, None)
