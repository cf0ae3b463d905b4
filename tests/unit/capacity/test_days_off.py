import pytest

from perfcast.capacity._days_off import days_off
from perfcast.errors import InvalidInput


def test_a_countrys_holidays_join_the_given_dates() -> None:
    found = days_off(["20261224"], "DE", [2026, 2027])
    assert {"2026-12-24", "2026-12-25", "2027-01-01", "2026-10-03"} <= set(found)
    assert found == sorted(set(found))


def test_a_part_of_a_country_has_holidays_of_its_own() -> None:
    assert set(days_off([], "de-by", [2026])) - set(days_off([], "DE", [2026])) >= {"2026-01-06", "2026-11-01"}


def test_nothing_is_added_without_a_country() -> None:
    assert days_off(["2026-12-25"], None, [2026]) == ["2026-12-25"]


@pytest.mark.parametrize(("country", "told"), [("XX", "'XX'"), ("DE-ZZ", "BB, BE"), ("Germany", "DE or US-CA")])
def test_an_unknown_country_is_named(country: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        days_off([], country, [2026])
