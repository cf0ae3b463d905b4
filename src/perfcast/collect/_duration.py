"""Durations as people write them: `90`, `90s`, `1m30s`, `2h`, `14d`."""

import re

from perfcast.errors import InvalidSetting

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0, "ms": 0.001}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhdw])")


def seconds(field: str, value: str | float) -> float:
    """The seconds of a duration; a bare number is seconds.

    Raises:
        InvalidSetting: It is none, or not above 0.
    """
    text = str(value).strip().lower()
    try:
        found = float(text)
    except ValueError:
        found = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
        found = found if _PART.sub("", text) == "" else 0.0
    if not 0 < found < 1e10:
        raise InvalidSetting(f"{field}: expected a duration such as 60s, 5m or 1h30m, got {value!r}")
    return found
