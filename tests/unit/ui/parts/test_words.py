"""Numbers and units as people read them."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfcast.ui.parts import (
    amount,
    cost_axis,
    cost_title,
    moment,
    off,
    plain,
    share,
    symbol,
    title,
    verbatim,
    with_unit,
)
from perfcast_client.answers import Cost


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, "ms", "–"),
        (0.0, "ms", "0.00\u202fms"),
        (1.1, "ms", "1.10\u202fms"),
        (12.345, "percent", "12.3\u202f%"),
        (-4.4, "percent", "-4.40\u202f%"),
        (1234.56, "", "1,235"),
        (0.00123, "s", "0.00123\u202fs"),
    ],
)
def test_an_amount_has_three_digits_and_its_unit(value: float | None, unit: str, shown: str) -> None:
    assert amount(value, unit) == shown


@given(st.floats(1e-4, 1e12) | st.floats(-1e12, -1e-4))
def test_an_amount_read_back_is_within_half_of_its_third_digit(value: float) -> None:
    assert float(amount(value).replace(",", "")) == pytest.approx(value, rel=0.00501)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_number_is_still_shown(value: float) -> None:
    assert amount(value, "ms") == f"{value}\u202fms"


def test_percentages_are_points_apart() -> None:
    assert (off(1.414, "percent"), off(1.414, "ms"), off(None, "percent")) == ("1.41\u00a0points", "1.41\u202fms", "–")


def test_a_moment_is_told_in_utc() -> None:
    at = datetime(2026, 3, 2, 15, 5, 59, tzinfo=timezone(timedelta(hours=1)))
    assert (moment(at), moment(None)) == ("2026-03-02 14:05", "–")


def test_a_share_is_a_whole_number_of_percent() -> None:
    assert (share(90.0), share(None)) == ("90\u202f%", "–")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("request_rate", "Request rate"), ("cpu_utilization", "CPU utilization"), ("db_connections", "DB connections")],
)
def test_a_name_becomes_a_label(name: str, shown: str) -> None:
    assert title(name) == shown


@pytest.mark.parametrize(
    ("name", "unit", "shown"),
    [
        ("request_rate", "requests/s", "Request rate (requests/s)"),
        ("active_users", "users", "Active users"),
        ("share", "percent", "Share (%)"),
        ("groups", "", "Groups"),
    ],
)
def test_a_label_has_its_unit_unless_the_name_says_it(name: str, unit: str, shown: str) -> None:
    assert with_unit(name, unit) == shown


def test_a_cost_is_named_without_its_unit_and_its_axis_with_it() -> None:
    time = Cost("execution_time_ms", "ms", 0.0, None, relative=True, meaning="")
    assert (cost_title(time), cost_axis(time), symbol(time.unit)) == ("Execution time", "Execution time (ms)", "ms")
    points = Cost("points", "", None, None, relative=False, meaning="")
    assert (cost_title(points), cost_axis(points)) == ("Points", "Points")


def test_what_screen_readers_get_has_no_markup() -> None:
    assert plain(":red[:material/error: over the limit of 80 %]") == "over the limit of 80 %"
    assert plain("90 % of cases  \n:red[:material/warning: outside: groups]") == "90 % of cases. outside: groups"
    assert plain("in 90 % of cases [see] 1:2") == "in 90 % of cases [see] 1:2"


def test_markup_in_somebody_elses_words_shows_as_it_is() -> None:
    assert verbatim("![a](http://elsewhere/a.png) :red[b]") == "`![a](http://elsewhere/a.png) :red[b]`"
    assert verbatim("a`b\n\n# c") == "`a'b # c`"
