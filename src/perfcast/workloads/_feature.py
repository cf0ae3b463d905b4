"""One feature of a workload, ready to read values: choices by what they say, whole numbers where they stay exact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isclose
from typing import Any

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidDeclaration
from perfcast.workloads._clock import CLOCK, shown
from perfcast.workloads._declaration import FeatureDeclaration
from perfcast.workloads._expressions import Expression, parse

LARGEST = 1e30
"""Bound of a feature that declares none: far below float32's limit, so that products stay finite for a while."""
EXACT = 2**24
"""Up to here float32, which models read, holds every whole number; beyond it, neighbours become the same number."""
_ROUNDED = 2**53
"""From here on float64 may have rounded what was written, before anything could be checked."""
_FLAGS = {"0": 0.0, "no": 0.0, "false": 0.0, "off": 0.0, "1": 1.0, "yes": 1.0, "true": 1.0, "on": 1.0}
_KINDS = {"integer": "a whole number", "flag": "0 or 1 (or yes/no, true/false, on/off)"}


@dataclass(frozen=True)
class Feature:
    """One stated input, ready for use; see `FeatureDeclaration` for what each attribute means."""

    declaration: FeatureDeclaration
    minimum: float
    maximum: float
    default: Expression | None

    @property
    def name(self) -> str:
        return self.declaration.name

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are allowed."""
        return self.declaration.type != "number"

    @property
    def required(self) -> bool:
        """Whether a caller must give it."""
        return self.default is None

    @cached_property
    def codes(self) -> Mapping[object, float]:
        """The position of each value of a choice, by the value as it is declared and by its text."""
        return _codes(self.declaration.values)

    def lacks(self, value: object) -> bool:
        """Whether a value is none: null, or a text of blanks that isn't one of a choice's values."""
        return value is None or (isinstance(value, str) and not value.strip() and value not in self.codes)

    def encode(self, value: object) -> float:
        """A caller's value as the number the model reads: itself, or its position among a choice's values.

        Raises:
            ValueError: The type is wrong, it is none of the values or can't be held exactly; the text says what was
                expected.
        """
        if self.declaration.values:
            return _position(self.declaration.values, self.codes, value)
        if self.declaration.type == "flag" and isinstance(value, (bool, str)):
            value = _FLAGS.get(str(value).strip().lower(), value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"expected {self._kind}, got {shown(value)}")  # noqa: TRY004  # one error for all
        if abs(value) > LARGEST or value != value:  # noqa: PLR0124  # whole numbers may be too large for a float
            raise ValueError(f"must be a finite number, at most {LARGEST:g}")
        if self.whole and value != int(value):
            raise ValueError(f"expected {self._kind}, got {shown(value)}")
        rounded = isinstance(value, float) and abs(value) >= _ROUNDED
        if self.whole and abs(value) > EXACT and (rounded or int(np.float32(value)) != value):
            raise ValueError(inexact(value))
        return float(value)

    def decode(self, number: float) -> float | str:
        """What a caller would have given for a number that the model reads: a choice's value, or itself."""
        if self.declaration.values:
            return self.declaration.values[int(number)]
        return int(number) if self.whole else number

    @property
    def _kind(self) -> str:
        return _KINDS.get(self.declaration.type, "a number")


def exact(feature: Feature, values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where float32 holds a column as the feature means it, bool [rows]: whole numbers to the last digit.

    `values` are int64 or float64 as they were read. Also true where one is no whole number or not finite, since it is
    refused for that.
    """
    if not feature.whole or not len(values) or np.nanmax(np.abs(values), initial=0) <= EXACT:
        return np.ones(len(values), dtype=np.bool_)
    with np.errstate(invalid="ignore", over="ignore"):
        held: npt.NDArray[np.bool_] = values.astype(np.float32).astype(values.dtype) == values
        if values.dtype.kind == "f":
            held &= np.abs(values) < _ROUNDED
    refused_anyway: npt.NDArray[np.bool_] = (np.floor(values) != values) | ~(np.abs(values) <= LARGEST)
    return held | refused_anyway


def inexact(value: float) -> str:
    """What to tell about a whole number that float32 can't hold."""
    return (
        f"can't be told from its neighbours: {int(value)} is a whole number beyond {EXACT:,}, where models see only "
        "some; give a date as a time, count in thousands, or declare a number, which is rounded to 7 digits"
    )


def ready(item: FeatureDeclaration, where: str) -> Feature:
    """The feature that a declaration means; `where` says workload and feature in messages.

    Raises:
        InvalidDeclaration: It contradicts itself.
    """
    _check_values(item, where)
    if item.clock and item.name not in CLOCK:
        raise InvalidDeclaration(f"{where}: a clock feature is one of {', '.join(CLOCK)}")
    lowest, highest = {"flag": (0.0, 1.0), "choice": (0.0, len(item.values) - 1.0)}.get(item.type, (-LARGEST, LARGEST))
    minimum = lowest if item.minimum is None else max(item.minimum, lowest)
    maximum = highest if item.maximum is None else min(item.maximum, highest)
    if minimum > maximum:
        raise InvalidDeclaration(f"{where}: its minimum lies above its maximum")
    return Feature(item, minimum, maximum, _default(item, where))


def _check_values(item: FeatureDeclaration, where: str) -> None:
    if (item.type == "choice") != bool(item.values):
        raise InvalidDeclaration(f"{where}: a choice, and only a choice, has values")
    if any(isinstance(value, bool) for value in item.values):
        raise InvalidDeclaration(f'{where}: true and false as values must be quoted ("true"), or declare a flag')
    numbers = [float(value) for value in item.values if not isinstance(value, str)]
    among = [number for number in map(_number, item.values) if number in numbers]
    if len({str(value) for value in item.values}) != len(item.values) or len(among) != len(set(numbers)):
        raise InvalidDeclaration(f"{where}: the values of a choice must differ, also as numbers")


def _default(item: FeatureDeclaration, where: str) -> Expression | None:
    default = item.default
    if default is None:
        return None
    if item.values:
        try:
            return parse(str(_position(item.values, _codes(item.values), default)))
        except ValueError as error:
            raise InvalidDeclaration(f"{where}: default {error}") from None
    if isinstance(default, bool) and item.type != "flag":
        raise InvalidDeclaration(f"{where}: default true or false is for a flag")
    return parse(str(_FLAGS.get(str(default).lower(), default) if item.type == "flag" else default))


def _codes(values: Sequence[str | float]) -> Mapping[object, float]:
    return {spelling: float(code) for code, value in enumerate(values) for spelling in (value, str(value))}


def _position(values: Sequence[str | float], codes: Mapping[object, float], value: object) -> float:
    """A value's position: by its text, else by its number where one of both is a number and only one fits."""
    texts = (
        (value, value.strip())
        if isinstance(value, str)
        else (str(value), str(value).lower())
        if isinstance(value, bool)
        else ()
    )
    for text in texts:
        if text in codes:
            return codes[text]
    same = [] if isinstance(value, bool) else _same_number(values, value)
    if len(same) != 1:
        several = f"; it may be {' or '.join(repr(values[code]) for code in same)}, so give its text" if same else ""
        raise ValueError(f"expected one of {', '.join(map(str, values))}, got {shown(value)}{several}")
    return float(same[0])


def _same_number(values: Sequence[str | float], value: object) -> list[int]:
    """The positions of the values that are this number, or if there are none, that it is when rounded to float32."""
    number = _number(value)
    if number is None:
        return []
    others = {
        code: other
        for code, allowed in enumerate(values)
        if not (isinstance(value, str) and isinstance(allowed, str)) and (other := _number(allowed)) is not None
    }
    same = [code for code, other in others.items() if other == number]
    if same or number.is_integer():
        return same
    return [code for code, other in others.items() if isclose(other, number, rel_tol=2**-24)]


def _number(value: object) -> float | None:
    """The number that a value is or that its text says; None where it is none."""
    try:
        return float(value) if isinstance(value, (str, int, float)) else None
    except (ValueError, OverflowError):
        return None
