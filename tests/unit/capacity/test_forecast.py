"""Where a load is going."""

from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from perfcast.capacity import forecast
from perfcast.capacity._forecast import local_hours
from perfcast.errors import Refused

MONDAY = np.datetime64("2026-03-02T00:00:00")
HOUR = np.timedelta64(3600, "s")


def load(
    days: int, *, growth: float = 0.0, noise: float = 0.05, step: int = 600, zone_shift: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A working week's load at steps of some seconds: 100 at noon on workdays, half of it on days off."""
    seconds = np.arange(0, days * 86400, step)
    hour = (seconds / 3600 + zone_shift) % 24
    weekday = ((seconds + zone_shift * 3600) // 86400) % 7
    shape = (60 + 40 * np.cos((hour - 12) / 12 * np.pi)) * np.where(weekday >= 5, 0.5, 1.0)
    grown = shape * (1 + growth) ** (seconds / 86400 / 30)
    random = np.random.default_rng(1)
    return MONDAY + seconds.astype("timedelta64[s]"), grown * np.exp(noise * random.standard_normal(len(seconds)))


def at(hours: np.ndarray, day: str, hour: int) -> int:
    wanted = np.datetime64(f"{day}T{hour:02}").astype("datetime64[h]").astype(np.int64)
    return int(np.flatnonzero(hours == wanted)[0])


def test_days_and_weeks_go_on() -> None:
    moments, values = load(21)
    found = forecast(moments, values, days=7, zone=UTC, courses=100)
    assert len(found.hours) == 7 * 24
    assert found.courses.shape == (100, 168)
    noon, night, sunday = (
        at(found.hours, *when) for when in (("2026-03-24", 12), ("2026-03-24", 0), ("2026-03-29", 12))
    )
    assert found.middle[noon] == pytest.approx(100, rel=0.06)
    assert found.middle[night] == pytest.approx(20, rel=0.1)
    assert found.middle[sunday] == pytest.approx(50, rel=0.1)
    assert found.history.weekly


def test_growth_goes_on_and_is_told() -> None:
    moments, values = load(28, growth=0.2)
    found = forecast(moments, values, days=30, zone=UTC)
    assert found.history.growth_percent_per_month == pytest.approx(20, abs=4)
    assert found.history.growth_bounds is not None
    assert found.history.growth_bounds[0] < 20 < found.history.growth_bounds[1]
    late = at(found.hours, "2026-04-28", 12)
    assert found.middle[late] == pytest.approx(100 * 1.2 ** (57.5 / 30), rel=0.08)


def test_a_stated_growth_is_taken_instead() -> None:
    moments, values = load(28, growth=0.2)
    found = forecast(moments, values, days=30, zone=UTC, growth_percent_per_month=0)
    late = at(found.hours, "2026-04-28", 12)
    assert found.middle[late] == pytest.approx(100 * 1.2 ** (28 / 30), rel=0.08)
    assert (found.history.growth_percent_per_month, found.history.growth_bounds) == (0, None)


def test_courses_are_as_wide_as_the_load_is_noisy() -> None:
    moments, values = load(35, noise=0.3, step=3600)
    known = moments < MONDAY + 28 * 24 * HOUR
    found = forecast(moments[known], values[known], days=7, zone=UTC)
    lower, upper = np.quantile(found.courses, [0.05, 0.95], axis=0)
    assert 0.8 < ((lower <= values[~known]) & (values[~known] <= upper)).mean() <= 1


def test_the_zones_clock_shapes_the_load() -> None:
    moments, values = load(21, zone_shift=5)
    found = forecast(moments, values, days=7, zone=ZoneInfo("Asia/Karachi"), courses=50)
    assert found.middle[at(found.hours, "2026-03-24", 7)] == pytest.approx(100, rel=0.06)


def test_a_day_off_is_like_a_sunday() -> None:
    moments, values = load(21)
    found = forecast(moments, values, days=7, zone=UTC, days_off=["2026-03-25"], courses=100)
    assert found.middle[at(found.hours, "2026-03-25", 12)] == pytest.approx(50, rel=0.1)


def test_the_same_history_has_the_same_courses() -> None:
    moments, values = load(14)
    one, other = (forecast(moments, values, days=3, zone=UTC, courses=20) for _ in range(2))
    np.testing.assert_array_equal(one.courses, other.courses)


@pytest.mark.parametrize(
    ("days", "keep", "level", "told"),
    [
        (6, 1.0, 1.0, "spans 6.0 days"),
        (20, 0.4, 1.0, "hours of the history have rows"),
        (20, 1.0, 0.0, "is 0 in most hours"),
    ],
)
def test_a_history_that_can_not_go_on_says_why(days: int, keep: float, level: float, told: str) -> None:
    moments, values = load(days)
    kept = (np.arange(len(moments)) // 6) % 10 < 10 * keep  # whole hours
    kept[-1] = True
    with pytest.raises(Refused, match=told):
        forecast(moments[kept], level * values[kept], days=3, zone=UTC)


def test_a_stated_growth_goes_on_from_where_the_past_has_led_to() -> None:
    moments, values = load(56, growth=0.3)
    found = forecast(moments, values, days=60, zone=UTC, growth_percent_per_month=0)
    reached = 100 * 1.3 ** (56 / 30)
    assert found.middle[at(found.hours, "2026-05-01", 12)] == pytest.approx(reached, rel=0.08)
    assert found.middle[at(found.hours, "2026-06-24", 12)] == pytest.approx(reached, rel=0.08)


def test_a_history_may_end_at_any_hour() -> None:
    moments, values = load(21)
    known = moments < MONDAY + 20 * 24 * HOUR + 14 * HOUR
    found = forecast(moments[known], values[known], days=5, zone=UTC, courses=100)
    assert found.middle[at(found.hours, "2026-03-24", 12)] == pytest.approx(100, rel=0.08)
    assert found.middle[at(found.hours, "2026-03-24", 0)] == pytest.approx(20, rel=0.1)


def test_days_without_rows_are_no_days() -> None:
    moments, values = load(28)
    day = (moments - MONDAY) // (24 * HOUR)
    known = (day < 10) | (day > 13)
    found = forecast(moments[known], values[known], days=5, zone=UTC, courses=100)
    assert found.middle[at(found.hours, "2026-03-31", 12)] == pytest.approx(100, rel=0.08)


def test_half_hours_of_a_zone_keep_its_summer_time() -> None:
    adelaide = ZoneInfo("Australia/Adelaide")
    winter, summer = (
        np.array([np.datetime64(text).astype("datetime64[h]").astype(np.int64)])
        for text in ("2026-06-01T00", "2026-12-01T00")
    )
    assert [int(local_hours(one, adelaide)[1][0]) for one in (winter, summer)] == [10, 11]


def test_a_load_below_zero_is_refused() -> None:
    moments, values = load(10)
    with pytest.raises(Refused, match="not below 0"):
        forecast(moments, values - 60, days=3, zone=UTC)
    with pytest.raises(Refused, match="no rows"):
        forecast(moments[:0], values[:0], days=3, zone=UTC)


def test_a_load_that_never_changes_is_none() -> None:
    moments, values = load(10)
    with pytest.raises(Refused, match="never changes"):
        forecast(moments, np.ones_like(values), days=3, zone=UTC)


def test_one_week_tells_days_but_no_growth() -> None:
    moments, values = load(8)
    found = forecast(moments, values, days=2, zone=UTC, courses=20)
    assert (found.history.weekly, found.history.growth_percent_per_month) == (False, None)
