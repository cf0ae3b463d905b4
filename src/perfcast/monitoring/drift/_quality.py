"""Data that can't be right: values that are missing, stand still, or have another unit than in training."""

import math

import numpy as np
import numpy.typing as npt

_NEAR = 0.1
"""How near a power of ten a factor's logarithm must be: about a quarter of the value."""
_OUT = 0.9
"""Share of the rows that must lie at or beyond an end of what was trained."""


def longest_run(values: npt.NDArray[np.floating]) -> int:
    """How many values in a row are equal at most."""
    changes = np.flatnonzero(values[1:] != values[:-1])
    return int(np.diff(np.concatenate([[-1], changes, [len(values) - 1]])).max()) if len(values) else 0


def scale_of(values: npt.NDArray[np.floating]) -> float | None:
    """Mean of log10 |value| where it isn't 0; None where there is no such value."""
    known = np.abs(values[np.isfinite(values) & (values != 0)]).astype(np.float64)
    return float(np.log10(known).mean()) if len(known) else None


def other_unit(mean: float, usual: float, at_ends: float) -> int:
    """The power of ten by which values have changed; 0 where they haven't.

    Args:
        mean: Mean of log10 |value| now.
        usual: The same in training.
        at_ends: Share of the rows in the outermost bins.
    """
    power = round(mean - usual)
    return power if power and abs(mean - usual - power) < _NEAR and at_ends >= _OUT else 0


def relative_error(actual: npt.NDArray[np.float64], predicted: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """|predicted − actual| as a share of the actual, at most 10, float64 [rows]."""
    share = np.abs(predicted - actual) / np.maximum(np.abs(actual), np.finfo(np.float32).tiny)
    return np.minimum(share, 10.0)


def log10(value: float) -> float | None:
    """log10 |value|; None of 0 and of what is no number."""
    return math.log10(abs(value)) if value and math.isfinite(value) else None
