"""Recurrences over time, computed without a Python loop."""

import numpy as np

from ._calendar import Floats


def first_order(drive: Floats, coefficient: float) -> Floats:
    """The recurrence `y[t] = coefficient * y[t-1] + drive[t]`, with `y[-1] = 0` and 0 <= coefficient < 1; [steps].

    The operator 1 / (1 - aB) is the product of (1 + a^(2^j) B^(2^j)) over j = 0, 1, 2, ... (B shifts by
    one step), so log2(rows) vector additions do it; factors that no longer matter are left out.
    """
    result, shift, factor = drive.copy(), 1, coefficient
    while shift < len(drive) and factor > 1e-17:
        result[shift:] = result[shift:] + factor * result[:-shift]
        shift, factor = 2 * shift, factor * factor
    return result


def correlated_noise(rng: np.random.Generator, steps: int, *, steps_of_memory: float) -> Floats:
    """Gaussian AR(1) noise of variance 1, float64 [steps], whose correlation falls to 1/e after some steps."""
    coefficient = np.exp(-1.0 / steps_of_memory)
    drive = rng.standard_normal(steps) * np.sqrt(1.0 - coefficient**2)
    drive[0] /= np.sqrt(1.0 - coefficient**2)
    return first_order(drive, coefficient)


def slow_release(level: Floats, *, steps_of_memory: float) -> Floats:
    """The recurrence `y[t] = max(level[t], exp(-1 / memory) * y[t-1])`, [steps]: up at once, down slowly."""
    decay = np.arange(len(level)) / steps_of_memory
    return np.asarray(np.exp(np.maximum.accumulate(np.log(level) + decay) - decay), dtype=np.float64)
