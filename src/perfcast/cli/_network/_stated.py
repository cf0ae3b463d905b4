"""Batches, limits and prices as they are typed."""

import re
from collections.abc import Iterable, Mapping
from math import isfinite

from perfcast.cli._options import names
from perfcast.errors import InvalidInput

_TIMES: Mapping[str, float] = {"ms": 1.0, "s": 1e3, "min": 60e3, "us": 1e-3, "µs": 1e-3, "": 1.0}
_TIME = re.compile(r"([0-9.e+-]+) *([a-zµ]*)")


def batches(text: str) -> list[int]:
    """Batch sizes such as `1,8,32`, each once.

    Raises:
        InvalidInput: One is no whole number above 0.
    """
    found = []
    for name in names(text):
        if not name.isascii() or not name.isdecimal() or int(name) < 1:
            raise InvalidInput.of("--batch", f"must be whole numbers such as 1,8,32, got '{name}'")
        found.append(int(name))
    return list(dict.fromkeys(found)) or [1]


def milliseconds(text: str) -> float:
    """A time such as 50ms, 0.2s or 50 in milliseconds.

    Raises:
        InvalidInput: It is none, or not above 0.
    """
    found = _TIME.fullmatch(text.strip())
    number = None if found is None else _number(found[1])
    size = None if found is None else _TIMES.get(found[2])
    if number is None or size is None or number <= 0:
        raise InvalidInput.of("--within", f"must be a time such as 50ms or 0.2s, got '{text}'")
    return number * size


def prices(texts: Iterable[str]) -> dict[str, float]:
    """Prices an hour by device, of texts such as `cpu-torch=0.05/h,gpu-torch=0.50`.

    Raises:
        InvalidInput: One is no price, or a device has two.
    """
    found: dict[str, float] = {}
    for text in (part for one in texts for part in names(one)):
        device, _, stated = text.partition("=")
        price = _number(re.sub(r" */ *h(our)?$", "", stated.strip()))
        if not device.strip() or price is None or price < 0:
            raise InvalidInput.of("--price", f"must be DEVICE=PRICE an hour, such as cpu-torch=0.05/h, got '{text}'")
        if device.strip() in found:
            raise InvalidInput.of("--price", f"'{device.strip()}' has two prices")
        found[device.strip()] = price
    return found


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
