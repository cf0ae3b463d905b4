"""When rows were measured: ISO 8601 text, real times, dates or seconds since 1970, as moments in UTC."""

from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np

from perfcast.datasets._files import TIME
from perfcast.datasets._split import Moments
from perfcast.workloads import Refusal, read_moment

if TYPE_CHECKING:
    import polars as pl

_LATEST_SECONDS = 1e11
"""Larger numbers are taken for milliseconds or the like: as seconds they would lie after the year 5000."""
_EXPECTED = "expected an ISO 8601 time such as 2026-03-01T14:05:00Z, or seconds since 1970"


def read_moments(column: "pl.Series", zone: tzinfo) -> tuple[Moments, list[Refusal]]:
    """Every row's moment.

    Args:
        column: Text, times, dates, or seconds since 1970.
        zone: Time zone of what has no offset.

    Returns:
        datetime64[us] [rows] in UTC, NaT where there is none, and the refusal of those rows.
    """
    values = column.to_list()
    moments = np.full(len(values), np.datetime64("NaT"), dtype="datetime64[us]")
    wrong: list[int] = []
    for row, value in enumerate(values):
        try:
            moments[row] = _moment(value, zone)
        except (ValueError, OverflowError, TypeError):
            wrong.append(row)
    if not wrong:
        return moments, []
    shown = repr(values[wrong[0]])[:40]
    return moments, [Refusal(TIME, f"{_EXPECTED}, got {shown}", np.array(wrong, dtype=np.int64))]


def _moment(value: Any, zone: tzinfo) -> datetime:
    """The moment in UTC, without a zone, as NumPy wants it.

    Raises:
        ValueError, OverflowError, TypeError: It is none.
    """
    if isinstance(value, str):
        moment = read_moment(value, zone)
    elif isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=zone)
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=zone)
    elif isinstance(value, (int, float)) and abs(value) < _LATEST_SECONDS:
        moment = datetime.fromtimestamp(value, UTC)
    else:
        raise TypeError
    return moment.astimezone(UTC).replace(tzinfo=None)
