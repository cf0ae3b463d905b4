"""Cron expressions, across changes of daylight saving too."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfcast.errors import InvalidInput
from perfcast.jobs.schedules._cron import check_cron, next_occurrence

BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}Z")


def following(expression: str, after: str, times: int) -> list[str]:
    """The next occurrences, in UTC."""
    found, at = [], utc(after)
    for _ in range(times):
        at = next_occurrence(expression, at, BERLIN)
        found.append(f"{at:%m-%dT%H:%M}")
    return found


def test_the_time_zone_is_that_of_the_service() -> None:
    assert following("0 3 * * *", "2026-01-10T00:00", 2) == ["01-10T02:00", "01-11T02:00"]
    assert following("0 3 * * *", "2026-07-10T00:00", 1) == ["07-10T01:00"]


def test_what_falls_into_the_hour_that_spring_skips_happens_right_after_it() -> None:
    assert following("30 2 * * *", "2026-03-28T00:00", 3) == ["03-28T01:30", "03-29T01:00", "03-30T00:30"]


def test_what_falls_into_the_hour_that_comes_twice_happens_once() -> None:
    assert following("30 2 * * *", "2026-10-24T12:00", 2) == ["10-25T00:30", "10-26T01:30"]


def test_in_the_second_of_two_equal_hours_the_first_is_not_due_again() -> None:
    assert following("30 2 * * *", "2026-10-25T01:15", 1) == ["10-26T01:30"]


def test_what_happens_every_half_hour_knows_no_daylight_saving() -> None:
    for start in ("2026-03-29T00:00", "2026-10-24T23:00"):
        at = [next_occurrence("*/30 * * * *", utc(start) + timedelta(minutes=30 * n), BERLIN) for n in range(8)]
        assert {later - earlier for earlier, later in pairwise(at)} == {timedelta(minutes=30)}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "five fields"),
        ("* * * * * *", "five fields"),
        ("61 * * * *", "minute"),
        ("0 3 30 2 *", "day-of-month"),
        ("0 3 * * funday", "day-of-week"),
        ("0 " * 200, "five fields"),
        ("@daily", "five fields"),
    ],
)
def test_what_is_no_expression_is_named_with_an_example(expression: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as raised:
        check_cron(expression)
    assert raised.value.fields[0].field == "cron"
    assert "0 3 * * *" in str(raised.value)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.text("0123456789*/,-#lwLW", min_size=1, max_size=6), min_size=5, max_size=5).map(" ".join))
def test_any_text_is_refused_or_comes_about_later(expression: str) -> None:
    after = datetime(2026, 3, 28, 12, 30, 15, 250, tzinfo=UTC)
    try:
        usual = check_cron(expression)
    except InvalidInput:
        return
    assert next_occurrence(usual, after, BERLIN) > after
