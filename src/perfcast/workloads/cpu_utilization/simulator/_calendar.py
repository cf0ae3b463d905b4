"""What the clock on the wall says: local time, holidays and the five time features."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfcast.errors import FieldError, InvalidInput

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]

FIRST_BUSINESS_HOUR, LAST_BUSINESS_HOUR = (9, 16)  # Monday to Friday, 09:00 <= time < 17:00


def as_utc(at: ArrayLike | datetime) -> Times:
    """UTC moments as an array.

    Args:
        at: One moment or many: `datetime64` in UTC, or one `datetime` with a time zone.

    Returns:
        datetime64[ms], of the shape of `at`.
    """
    if isinstance(at, datetime):
        at = np.datetime64(at.astimezone(UTC).replace(tzinfo=None))
    return np.asarray(at, dtype="datetime64[ms]")


def local_time(at: Times, time_zone: str) -> Times:
    """The local clock's reading.

    Args:
        at: datetime64[ms] of any shape, UTC.
        time_zone: IANA name, for instance `Europe/Berlin`.

    Returns:
        datetime64[ms] of the same shape, local.

    Raises:
        InvalidInput: The zone is unknown.
    """
    if time_zone == "UTC":  # needs no time zone database, which slim images lack
        return at
    # No present zone changes its offset within a quarter of an hour, so one look-up for each will do.
    quarters, which = np.unique(at.astype("datetime64[m]").astype(np.int64) // 15, return_inverse=True)
    zone = _zone(time_zone)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moments = (epoch + timedelta(minutes=15 * int(quarter)) for quarter in quarters)
    offsets = [(moment.astimezone(zone).utcoffset() or timedelta()).total_seconds() for moment in moments]
    shifts = np.array(offsets, dtype=np.float64).astype("timedelta64[s]")
    return np.asarray(at + shifts[which].reshape(at.shape), dtype="datetime64[ms]")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"'{name}' is no known zone; an IANA name such as Europe/Berlin is expected"
        raise InvalidInput([FieldError("time_zone", message)]) from error


def weekday(local: Times) -> NDArray[np.int64]:
    """Day of the week, Monday = 0, of local moments of any shape."""
    # 1970-01-01 was a Thursday.
    return np.asarray((local.astype("datetime64[D]").astype(np.int64) + 3) % 7, dtype=np.int64)


def hour_of_day(local: Times) -> Floats:
    """Hours since local midnight with fractions (0 <= hour < 24), of the same shape."""
    since_midnight = local - local.astype("datetime64[D]")
    return np.asarray(since_midnight / np.timedelta64(1, "h"), dtype=np.float64)


def is_holiday(local: Times, holidays: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether local moments fall on one of the dates (ISO 8601), of the same shape."""
    dates = np.array(holidays, dtype="datetime64[D]")
    return np.isin(local.astype("datetime64[D]"), dates)


def is_business_time(local: Times) -> NDArray[np.bool_]:
    """Whether it is Monday to Friday, 9 to 17 o'clock; holidays too, for the clock doesn't know them."""
    hour = np.floor(hour_of_day(local))
    within = (hour >= FIRST_BUSINESS_HOUR) & (hour <= LAST_BUSINESS_HOUR)
    return np.asarray((weekday(local) < 5) & within)


def time_features(at: ArrayLike | datetime, time_zone: str) -> dict[str, Floats]:
    """The five time features of `cpu-utilization`.

    Whole hours and whole minutes go around the circle each on their own, as in the predecessor:
    `hour_sin = sin(2 pi hour / 24)`, `minute_sin = sin(2 pi minute / 60)`.

    Args:
        at: One moment or many, UTC (see `as_utc`).
        time_zone: IANA name of the service's zone.

    Returns:
        `hour_sin`, `hour_cos`, `minute_sin`, `minute_cos` (-1 to 1) and `is_business_hour` (0 or 1),
        float64 of the shape of `at`.
    """
    local = local_time(as_utc(at), time_zone)
    hours = hour_of_day(local)
    hour_angle = 2.0 * np.pi * np.floor(hours) / 24.0
    minute_angle = 2.0 * np.pi * np.floor(np.round((hours % 1.0) * 3_600.0, 3) / 60.0) / 60.0
    return {
        "hour_sin": np.sin(hour_angle),
        "hour_cos": np.cos(hour_angle),
        "minute_sin": np.sin(minute_angle),
        "minute_cos": np.cos(minute_angle),
        "is_business_hour": is_business_time(local).astype(np.float64),
    }
