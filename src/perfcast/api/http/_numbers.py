"""Numbers as answers show them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from perfcast.workloads import Feature

_FURTHER_DIGITS = 6
"""After the first one: seven in all are what float32 holds."""
_EXACT = 15


def rounded(values: npt.NDArray[np.floating]) -> list[float]:
    """Each value at seven significant digits, the same as `float(f"{value:.7g}")` but thirty times as fast.

    Powers of ten up to 10²² are exact in float64, so scaling to a whole number and back rounds correctly, except near
    a tie or far from 1; those few are left to Python.
    """
    exact = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        exponent = np.floor(np.log10(np.abs(exact)))
        exponent[~np.isfinite(exponent)] = 0
        places = _FURTHER_DIGITS - exponent
        scale = 10.0 ** np.abs(places)
        scaled = np.where(places >= 0, exact * scale, exact / scale)
        whole = np.rint(scaled)
        result = np.where(places >= 0, whole / scale, whole * scale)
        doubtful = (np.abs(np.abs(scaled - whole) - 0.5) < 1e-6) | (np.abs(exponent) > _EXACT)
    numbers: list[float] = result.tolist()
    for position in np.flatnonzero(doubtful).tolist():
        numbers[position] = float(f"{exact[position]:.7g}")
    return numbers


def shown_values(feature: Feature, column: npt.NDArray[Any]) -> list[Any]:
    """A column of a feature, float32 [rows], as requests may give it: choices by what they say, whole numbers whole."""
    if feature.declaration.values:
        return [feature.decode(code) for code in column.tolist()]
    return column.astype(np.int64).tolist() if feature.whole else rounded(column)
