"""Values as Grafana shows them in a unit: about three digits and what they are."""

import math

_COUNTS = {"short": "", "reqps": " req/s", "ops": " ops/s"}
_BYTES = {"bytes": "", "Bps": "/s"}
_TIMES = ((1e-6, 1e9, "ns"), (1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (60.0, 1.0, "s"))
_LONG = ((3600.0, 60.0, "min"), (172800.0, 3600.0, "h"), (math.inf, 86400.0, "days"))


def shown(value: float, unit: str, decimals: int | None = None) -> str:
    """The value with its unit.

    Args:
        value: As Prometheus gives it.
        unit: Grafana's name of it.
        decimals: How many to show; three digits in all where nobody says.
    """
    if not math.isfinite(value):
        return "–"
    if unit in ("percent", "percentunit"):
        return f"{_digits(100 * value if unit == 'percentunit' else value, decimals)} %"
    if unit == "s":
        return _duration(value)
    if unit in _BYTES:
        return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB", "TiB")) + _BYTES[unit]
    if unit in _COUNTS:
        return _scaled(value, 1000, ("", "K", "Mil", "Bil"), decimals) + _COUNTS[unit]
    raise ValueError(f"{unit!r}: this sheet knows no such unit")


def _duration(value: float) -> str:
    if value == 0:
        return "0 s"
    for below, factor, name in (*_TIMES, *_LONG):
        if abs(value) < below:
            return f"{_digits(value * factor if below <= 1 else value / factor)} {name}"
    raise AssertionError(value)


def _scaled(value: float, base: int, names: tuple[str, ...], decimals: int | None = None) -> str:
    power = min(max(int(math.log(abs(value), base)), 0), len(names) - 1) if value else 0
    return f"{_digits(value / base**power, decimals)} {names[power]}".rstrip()


def _digits(value: float, decimals: int | None = None) -> str:
    if decimals is not None:
        return f"{value:.{decimals}f}"
    places = 0 if value == round(value) else max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:.{min(places, 4)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
