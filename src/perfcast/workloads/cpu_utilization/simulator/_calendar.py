"""What the clock on the wall says: local time and holidays."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perfcast.errors import InvalidInput
from perfcast.workloads import offsets

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]


def as_utc(at: ArrayLike | datetime) -> Times:
    """UTC moments as datetime64[ms] of the shape of `at`: `datetime64` in UTC, or one `datetime` with a time zone."""
    if isinstance(at, datetime):
        at = np.datetime64(at.astimezone(UTC).replace(tzinfo=None))
    return np.asarray(at, dtype="datetime64[ms]")


def local_time(at: Times, time_zone: str) -> Times:
    """What the clock of an IANA zone shows at UTC moments, datetime64[ms] of the same shape.

    Raises:
        InvalidInput: The zone is unknown.
    """
    if time_zone == "UTC":  # needs no time zone database, which slim images lack
        return at
    ahead = offsets(at.astype("datetime64[s]").astype(np.int64).ravel(), zone(time_zone), utc=True)[:, 0]
    return np.asarray(at + ahead.reshape(at.shape).astype("timedelta64[s]"), dtype="datetime64[ms]")


def zone(name: str) -> tzinfo:
    """The zone of that name.

    Raises:
        InvalidInput: It is unknown.
    """
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        told = f"'{name}' is no known zone; an IANA name such as Europe/Berlin is expected"
        raise InvalidInput.of("time_zone", told) from error


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
    hour = hour_of_day(local)
    return np.asarray((weekday(local) < 5) & (hour >= 9) & (hour < 17))
