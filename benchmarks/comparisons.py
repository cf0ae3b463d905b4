"""How often comparing two equal arms, looked at all the time for two weeks, raises a false alarm, by length of block.

.venv/bin/python benchmarks/comparisons.py

Minutes are simulated, each so like the one before; means of blocks of them are what is compared. The bounds are those
of `perfcast.monitoring`, for all runs and all looks at once.
"""

import numpy as np
import numpy.typing as npt

from perfcast.monitoring._comparison import _LAGS, CONFIDENCE, LEAST_HOURS, _boundary

Runs = npt.NDArray[np.float64]
RUNS, DAYS = 1_000, 14
LIKENESSES, BLOCKS = (0.0, 0.6, 0.9, 0.97), (5, 15, 60)


def minutes(likeness: float) -> Runs:
    """Differences without a mean, [runs, minutes]."""
    noise = np.random.default_rng(0).standard_normal((RUNS, 60 * 24 * DAYS))
    noise[:, 0] /= np.sqrt(1 - likeness**2)
    for at in range(1, noise.shape[1]):
        noise[:, at] += likeness * noise[:, at - 1]
    return noise


def false_alarms(values: Runs) -> float:
    """Percent of the runs, [runs, blocks], in which some look finds a difference."""
    count = np.arange(1, values.shape[1] + 1)
    mean = np.cumsum(values, axis=1) / count
    own = np.cumsum(values**2, axis=1) / count - mean**2
    together = own.copy()
    for lag in range(1, _LAGS + 1):
        products = np.zeros_like(values)
        products[:, lag:] = values[:, lag:] * values[:, :-lag]
        together += 2 * (1 - lag / (_LAGS + 1)) * (np.cumsum(products, axis=1) / count - mean**2)
    boundary = np.array([_boundary(int(n), 1 - CONFIDENCE) for n in count])
    found = np.abs(mean) > np.sqrt(np.maximum(own, together)) * boundary
    return float(100 * found[:, LEAST_HOURS - 1 :].any(axis=1).mean())


def main() -> None:
    """Print the table."""
    print("| likeness of a minute to the next |", " | ".join(f"means of {block} minutes" for block in BLOCKS), "|")
    for likeness in LIKENESSES:
        simulated = minutes(likeness)
        shown = [f"{false_alarms(simulated.reshape(RUNS, -1, block).mean(axis=2)):.1f} %" for block in BLOCKS]
        print(f"| {likeness} |", " | ".join(shown), "|", flush=True)


if __name__ == "__main__":
    main()
