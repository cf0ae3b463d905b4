"""Moments: what a text or a number says of when, what a zone's clock shows then, and the features that it decides."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

_TURN = 2 * math.pi

CLOCK: Mapping[str, Callable[[datetime], float]] = {
    "hour_sin": lambda moment: math.sin(_TURN * moment.hour / 24),
    "hour_cos": lambda moment: math.cos(_TURN * moment.hour / 24),
    "minute_sin": lambda moment: math.sin(_TURN * moment.minute / 60),
    "minute_cos": lambda moment: math.cos(_TURN * moment.minute / 60),
    "weekday_sin": lambda moment: math.sin(_TURN * moment.weekday() / 7),
    "weekday_cos": lambda moment: math.cos(_TURN * moment.weekday() / 7),
    "is_business_hour": lambda moment: float(moment.weekday() < 5 and 9 <= moment.hour < 17),
}
"""Each clock feature's definition; hours and minutes are whole, business hours are Monday to Friday, 9 to 17."""


_EXPECTED = (
    "expected an ISO 8601 time such as 2026-03-01T14:05:00Z, a date such as 20260301, or seconds since 1970 "
    "(ms, µs and ns are told by their size)"
)
NOWHEN = np.iinfo(np.int64).min
"""Microseconds of what is no moment; NumPy's NaT."""
_EARLIEST, _LATEST = 631_152_000, 7_258_118_400
"""Seconds since 1970 of the years 1990 and 2200: within them no number can be of two units, nor be digits of a date."""
_QUARTER = 900
"""Seconds within which no zone's offset changes (since 1972)."""
_DAY = 86_400
_WEEK = 7 * 24 * 60
_MONDAY = 3 * 24 * 60
"""Minutes from a Monday to 1970-01-01, a Thursday."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # NumPy's times have no zone


def read_moment(value: object, zone: tzinfo) -> datetime:
    """A moment in the service's zone; of a local time that comes twice, the first; of none, an hour later.

    `value` is ISO 8601 text, a time, a date, or a number: yyyymmdd, yyyymmddHHMMSS, or s, ms, µs, ns since 1970.

    Raises:
        ValueError: It is none, its unit can't be told, or it lies before the year 1 or after 9999 in the zone.
    """
    try:
        moment, local = stated_moment(value)
        return (moment.replace(tzinfo=zone).astimezone(UTC) if local else moment).astimezone(zone)
    except (ValueError, OverflowError, TypeError):
        raise ValueError(no_moment(shown(value))) from None


def no_moment(shown: str) -> str:
    """What to tell about a value that is no moment, as people are shown it."""
    ten = re.fullmatch(r"'?\s*(\d{10})(\.0*)?\s*'?", shown)
    hour = (
        "; this can be an hour (yyyymmddHH) as well as seconds" if ten and _is_hour(np.array([int(ten[1])]))[0] else ""
    )
    return f"{_EXPECTED}{hour}, got {shown}"


def stated_moment(value: object) -> tuple[datetime, bool]:
    """The moment as it is stated, and whether it is a local time, which has no zone.

    Raises:
        ValueError, OverflowError, TypeError: It is none.
    """
    if isinstance(value, str):
        try:
            value = int(value) if value.strip().isdigit() else float(value)
        except ValueError:
            value = datetime.fromisoformat(str(value).strip())
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
        return moment, moment.tzinfo is None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    micros, local = numbered_moments(np.array([value]))
    if micros[0] == NOWHEN:
        raise ValueError
    moment = _EPOCH + timedelta(microseconds=int(micros[0]))
    return moment if local[0] else moment.replace(tzinfo=UTC), bool(local[0])


def numbered_moments(numbers: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Moments that are written as numbers: s, ms, µs or ns since 1970, yyyymmdd or yyyymmddHHMMSS, told by their size.

    Returns:
        Microseconds since 1970, int64 [rows], `NOWHEN` where that can't be told, as of yyyymmddHH; and whether it is
        a local time.
    """
    values = numbers.astype(np.int64 if numbers.dtype.kind in "iu" else np.float64)
    micros = np.full(len(values), NOWHEN)
    for scale in (1, 10**3, 10**6, 10**9):
        fits = (values >= _EARLIEST * scale) & (values < _LATEST * scale)
        chosen = values[fits]
        micros[fits] = chosen // 1000 if scale == 10**9 else np.rint(chosen * (10**6 // scale))
    micros[_is_hour(values)] = NOWHEN
    local = np.zeros(len(values), dtype=np.bool_)
    for first, last, ends in ((19000101, 21001231, 1), (19000101_000000, 21001231_235959, 10**6)):
        fits = (values >= first) & (values <= last)
        if fits.any():
            micros[fits], local[fits] = _digits(values[fits], ends), True
    return micros, local


def _is_hour(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether numbers can be yyyymmddHH: as seconds, they are some in the years 2033 to 2036."""
    fits: npt.NDArray[np.bool_] = (values >= 1990010100) & (values <= 2100123123) & (values == np.floor(values))
    fits[fits] = _digits(10_000 * values[fits].astype(np.int64), 10**6) != NOWHEN
    return fits


def _digits(values: npt.NDArray[Any], ends: int) -> npt.NDArray[np.int64]:
    """Microseconds of yyyymmdd, followed by HHMMSS where `ends` is 10⁶."""
    days, time = np.divmod(values.astype(np.int64), ends)
    (rest, day), (hours, second) = np.divmod(days, 100), np.divmod(time, 100)
    (year, month), (hour, minute) = np.divmod(rest, 100), np.divmod(hours, 100)
    start = (12 * (year - 1970) + month - 1).astype("datetime64[M]")
    dates = start.astype("datetime64[D]") + (day - 1)
    good = (month >= 1) & (month <= 12) & (day >= 1) & (dates.astype("datetime64[M]") == start)
    good &= (hour < 24) & (minute < 60) & (second < 60) & (values == np.floor(values))
    seconds = dates.astype("datetime64[s]").astype(np.int64) + 3600 * hour + 60 * minute + second
    return np.where(good, 1_000_000 * seconds, NOWHEN)


def shown(value: object) -> str:
    """A value as messages show it, shortened."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"


def clock_columns(
    moments: npt.NDArray[np.datetime64], names: Sequence[str], zone: tzinfo
) -> dict[str, npt.NDArray[np.float64]]:
    """Clock features, each float64 [rows], NaN where there is no moment; to the bit what one moment's would be."""
    missing = np.isnat(moments)
    seconds = np.where(missing, 0, moments.astype("datetime64[s]").astype(np.int64))
    if str(zone) != "UTC":
        seconds = seconds + offsets(seconds, zone, utc=True)[:, 0]
    places = (seconds // 60 + _MONDAY) % _WEEK
    columns = {name: _week(name)[places] for name in names}
    for column in columns.values():
        column[missing] = np.nan
    return columns


@lru_cache
def _week(name: str) -> npt.NDArray[np.float64]:
    """A clock feature at each minute of a week that begins on Monday."""
    monday = datetime(2024, 1, 1, tzinfo=UTC)
    return np.array([CLOCK[name](monday + timedelta(minutes=minute)) for minute in range(_WEEK)])


def offsets(seconds: npt.NDArray[np.int64], zone: tzinfo, *, utc: bool) -> npt.NDArray[np.int64]:
    """Seconds that local time is ahead of UTC, [rows, 2]: by the first and by the second reading of a local time.

    Each distinct day is looked up once, and each quarter of an hour of the days on which clocks change.
    """
    days, places = np.unique(seconds // _DAY, return_inverse=True)
    begins, ends = (_readings(_DAY * some, zone, utc=utc) for some in (days, days + 1))
    ahead = begins[places]
    change = ((begins != ends).any(axis=1) | (begins[:, 0] != begins[:, 1]))[places]
    if change.any():
        quarters, within = np.unique(seconds[change] // _QUARTER, return_inverse=True)
        ahead[change] = _readings(_QUARTER * quarters, zone, utc=utc)[within]
    return ahead


def _readings(seconds: npt.NDArray[np.int64], zone: tzinfo, *, utc: bool) -> npt.NDArray[np.int64]:
    begin = datetime(1970, 1, 1, tzinfo=UTC if utc else None)
    moments = [begin + timedelta(seconds=second) for second in seconds.tolist()]
    local = [
        [moment.astimezone(zone)] * 2 if utc else [moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
        for moment in moments
    ]
    offsets = [[int((time.utcoffset() or timedelta()).total_seconds()) for time in pair] for pair in local]
    return np.array(offsets, dtype=np.int64).reshape(-1, 2)
