"""What the clock on the wall says where the users live, which is in UTC: days, hours and holidays."""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

Times = NDArray[np.datetime64]
Floats = NDArray[np.float64]


def as_utc(at: ArrayLike | datetime) -> Times:
    """UTC moments as datetime64[ms] of the shape of `at`: `datetime64` in UTC, or one `datetime` with a time zone."""
    if isinstance(at, datetime):
        at = np.datetime64(at.astimezone(UTC).replace(tzinfo=None))
    return np.asarray(at, dtype="datetime64[ms]")


def weekday(at: Times) -> NDArray[np.int64]:
    """Day of the week, Monday = 0, of moments of any shape."""
    # 1970-01-01 was a Thursday.
    return np.asarray((at.astype("datetime64[D]").astype(np.int64) + 3) % 7, dtype=np.int64)


def hour_of_day(at: Times) -> Floats:
    """Hours since midnight with fractions (0 <= hour < 24), of the same shape."""
    since_midnight = at - at.astype("datetime64[D]")
    return np.asarray(since_midnight / np.timedelta64(1, "h"), dtype=np.float64)


def is_holiday(at: Times, holidays: tuple[str, ...]) -> NDArray[np.bool_]:
    """Whether moments fall on one of the dates (ISO 8601), of the same shape."""
    dates = np.array(holidays, dtype="datetime64[D]")
    return np.isin(at.astype("datetime64[D]"), dates)


def is_business_time(at: Times) -> NDArray[np.bool_]:
    """Whether it is Monday to Friday, 9 to 17 o'clock; holidays too, for the clock doesn't know them."""
    hour = hour_of_day(at)
    return np.asarray((weekday(at) < 5) & (hour >= 9) & (hour < 17))
