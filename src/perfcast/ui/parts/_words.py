"""Numbers and units as people read them."""

import re
from datetime import UTC, datetime

from perfcast_client.answers import Cost

_SYMBOLS = {"percent": "%"}
_MARKUP = re.compile(r":material/\w+: ?|:[a-z]+\[([^\]]*)\]")
_ABBREVIATIONS = frozenset({"cpu", "db", "gpu", "io", "id"})


def symbol(unit: str) -> str:
    """A unit as it stands behind a number."""
    return _SYMBOLS.get(unit, unit)


def amount(value: float | None, unit: str = "", digits: int = 3) -> str:
    """A number to so many digits, with its unit; a dash where there is none."""
    if value is None:
        return "–"
    size = abs(value)
    decimals = 0 if size >= 10 ** (digits - 1) else min(6, digits - 1 - _magnitude(size))
    shown = f"{value:,.{max(0, decimals)}f}"
    return f"{shown}\u202f{symbol(unit)}" if unit else shown


def _magnitude(size: float) -> int:
    """The power of ten of a size's first digit; 0 for nothing."""
    power = 0
    while 0 < size < 1 and size * 10 ** (-power) < 1:
        power -= 1
    while size >= 10 ** (power + 1):
        power += 1
    return power


def share(value: float | None) -> str:
    """Percent, as a whole number."""
    return "–" if value is None else f"{value:.0f}\u202f%"


def off(value: float | None, unit: str) -> str:
    """What a prediction is off by; percentages are so many points apart."""
    return f"{amount(value)}\u00a0points" if unit == "percent" and value is not None else amount(value, unit)


def duration(seconds: float | None) -> str:
    """A time that something takes, to two units: 41 s, 3 min 20 s, 2 h 5 min."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.1f}\u202fs"
    left, parts = round(seconds), []
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        number, left = divmod(left, size)
        parts.append(f"{number}\u202f{name}" if number else "")
    first = next(place for place, part in enumerate(parts) if part)
    return " ".join(part for part in parts[first : first + 2] if part)


def moment(at: datetime | None) -> str:
    """A time in UTC, to the minute."""
    return "–" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def title(name: str) -> str:
    """A name as a label: `request_rate` is Request rate, `cpu_utilization` CPU utilization."""
    words = [word.upper() if word in _ABBREVIATIONS else word for word in name.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def with_unit(name: str, unit: str) -> str:
    """A label with its unit, unless the name says it: active_users are in users."""
    return f"{title(name)} ({symbol(unit)})" if unit and not name.endswith(unit) else title(name)


def cost_title(cost: Cost) -> str:
    """What is predicted; the unit that its name may end with is left out."""
    return title(cost.name.removesuffix(f"_{cost.unit}"))


def cost_axis(cost: Cost) -> str:
    """What is predicted, with its unit."""
    return f"{cost_title(cost)} ({symbol(cost.unit)})" if cost.unit else cost_title(cost)


def verbatim(words: str) -> str:
    """Somebody else's words, such as an address', as they are: what would be a link or a picture is neither."""
    return f"`{' '.join(words.replace('`', chr(39)).split())}`"


def plain(words: str) -> str:
    """Words without Streamlit's markup of colours and icons, for screen readers."""
    uncoloured = _MARKUP.sub(lambda found: found.group(1) or "", words)
    return re.sub(r" *\n+", ". ", _MARKUP.sub("", uncoloured))
