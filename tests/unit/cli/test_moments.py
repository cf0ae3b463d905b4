"""Times as options take them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import typer

from perfcast.cli._moments import moment

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-03-01", "2026-02-28T23:00Z"),
        ("2026-07-01", "2026-06-30T22:00Z"),
        ("2026-03-01T14:00Z", "2026-03-01T14:00Z"),
        ("2026-10-25T02:30", "2026-10-25T00:30Z"),  # comes twice: the first
    ],
)
def test_a_time_without_a_zone_is_of_the_services(text: str, meant: str) -> None:
    assert moment("--since", text, BERLIN).timestamp() == datetime.fromisoformat(meant).timestamp()


def test_so_long_ago_is_told_by_a_duration() -> None:
    before = datetime.now(UTC)
    found = moment("--since", "1h30m", BERLIN) + timedelta(minutes=90)
    assert before <= found <= datetime.now(UTC)


@pytest.mark.parametrize("text", ["", "long ago", "yesterdays", "2026-13-01", "12x"])
def test_what_is_none_is_shown(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"expected a time such as .* or how long ago .*, got '{text}'"):
        moment("--since", text, BERLIN)
