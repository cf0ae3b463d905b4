"""Days whose load is a Sunday's: dates that are given, and a country's public holidays."""

from collections.abc import Iterable, Sequence
from datetime import date

from perfcast.errors import InvalidInput


def days_off(given: Iterable[str], country: str | None, years: Sequence[int]) -> list[str]:
    """The dates (ISO 8601) that are given, and the holidays of a country in some years.

    Args:
        given: Dates.
        country: ISO 3166, such as `DE`, or with a part of it `DE-BY`; None for none.
        years: All that matter.

    Raises:
        InvalidInput: One is no date, or the country isn't known.
    """
    found = {_date(text) for text in given}
    return sorted(found | set(_holidays(country, years) if country else ()))


def _holidays(country: str, years: Sequence[int]) -> Iterable[str]:
    import holidays

    code, _, part = country.upper().partition("-")
    try:
        known = holidays.country_holidays(code, subdiv=part or None, years=list(years))
    except NotImplementedError:
        shown = f"'{country[:40]}'"
        if part and code in holidays.list_supported_countries():
            parts = holidays.list_supported_countries()[code]
            raise InvalidInput.of("country", f"{shown} is unknown; {code} has the parts {', '.join(parts)}") from None
        raise InvalidInput.of("country", f"must be an ISO 3166 code such as DE or US-CA, got {shown}") from None
    return (day.isoformat() for day in known)


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidInput.of("days_off", f"must be dates such as 2026-12-25, got '{text}'") from None
