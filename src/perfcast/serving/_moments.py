"""A column of times, and the clock features that they decide."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import numpy.typing as npt

from perfcast.workloads import CLOCK, TIMESTAMP, Refusal, read_moment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_SECONDS = 1e11
"""Larger numbers are taken for milliseconds or the like: as seconds they would lie after the year 5000."""
_EXPECTED = "expected an ISO 8601 time such as 2026-03-01T14:05:00Z, or seconds since 1970"
_NOWHEN = np.iinfo(np.int64).min
Minutes = npt.NDArray[np.int64]


def clock_columns(
    column: npt.NDArray[Any], names: Sequence[str], zone: tzinfo
) -> tuple[Mapping[str, npt.NDArray[np.float64]], Refusal | None]:
    """Clock features of many moments; each distinct minute is computed once.

    Args:
        column: Times, ISO 8601 text or seconds since 1970, [rows]; `datetime64` means UTC.
        names: Which clock features are wanted.
        zone: The service's time zone, also that of text without an offset.

    Returns:
        Each feature's values, float64 [rows], NaN where there is no moment; and the rows that could not be read.
    """
    minutes, refusal = _minutes(column, zone)
    distinct, places = np.unique(minutes, return_inverse=True)
    moments = [None if minute == _NOWHEN else _local(minute, zone) for minute in distinct.tolist()]
    columns = {
        name: np.array([math.nan if moment is None else CLOCK[name](moment) for moment in moments])[places]
        for name in names
    }
    return columns, refusal


def _local(minute: int, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(minutes=minute)).astimezone(zone)


def _minutes(column: npt.NDArray[Any], zone: tzinfo) -> tuple[Minutes, Refusal | None]:
    """Whole minutes since 1970 UTC, `_NOWHEN` where there is no moment."""
    if column.dtype.kind == "M":
        minutes = column.astype("datetime64[m]").astype(np.int64)
        return _within(minutes, column)
    if column.dtype.kind in "fiu":
        seconds = column.astype(np.float64)
        good = np.abs(seconds) < _LATEST_SECONDS
        minutes = np.full(len(column), _NOWHEN)
        minutes[good] = np.floor(seconds[good] / 60).astype(np.int64)
        return _within(minutes, column)
    return _read(column.tolist(), zone)


def _within(minutes: Minutes, column: npt.NDArray[Any]) -> tuple[Minutes, Refusal | None]:
    """The minutes of years that a calendar has, and the rows beyond or without one."""
    first, last = (np.datetime64(text, "m").astype(np.int64) for text in ("0001-01-03", "9999-12-29"))
    wrong = np.flatnonzero((minutes < first) | (minutes > last))
    minutes[wrong] = _NOWHEN
    return minutes, _refusal(wrong, column[wrong[0]] if len(wrong) else None)


def _read(values: list[Any], zone: tzinfo) -> tuple[Minutes, Refusal | None]:
    known: dict[tuple[type, Any], int] = {}
    minutes = np.full(len(values), _NOWHEN)
    wrong: list[int] = []
    for row, value in enumerate(values):
        try:
            key = (type(value), value)
            minute = known.get(key)
            if minute is None:
                minute = known[key] = math.floor((_moment(value, zone) - _EPOCH).total_seconds() / 60)
            minutes[row] = minute
        except (ValueError, OverflowError, TypeError):
            wrong.append(row)
    return minutes, _refusal(np.array(wrong, dtype=np.int64), values[wrong[0]] if wrong else None)


def _refusal(rows: npt.NDArray[np.int64], first: Any) -> Refusal | None:
    shown = str(first) if isinstance(first, np.generic) else repr(first)
    return Refusal(TIMESTAMP, f"{_EXPECTED}, got {shown[:40]}", rows) if len(rows) else None


def _moment(value: Any, zone: tzinfo) -> datetime:
    """The moment of what a caller wrote.

    Raises:
        ValueError, OverflowError, TypeError: It is none.
    """
    if isinstance(value, str):
        return read_moment(value, zone).astimezone(UTC)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone).astimezone(UTC)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LATEST_SECONDS:
        return datetime.fromtimestamp(value, UTC)
    raise TypeError
