"""Features that a moment in time decides: what hour, which minute, whether people are at work."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

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


def read_moment(text: str, zone: tzinfo) -> datetime:
    """An ISO 8601 time in the service's time zone.

    Args:
        text: Such as `2026-03-01T14:05:00Z`; without an offset it is taken as local to `zone`.
        zone: The service's time zone.

    Raises:
        ValueError: It is not an ISO 8601 time, or lies before the year 1 or after 9999 in the zone.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    except OverflowError:
        raise ValueError(f"{text} is out of range") from None
