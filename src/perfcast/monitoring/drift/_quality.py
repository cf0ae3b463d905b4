"""What data is usually like: how long values stand still, what scale they have; and errors as shares."""

import numpy as np
import numpy.typing as npt


def longest_run(values: npt.NDArray[np.floating]) -> int:
    """How many values in a row are equal at most."""
    changes = np.flatnonzero(values[1:] != values[:-1])
    return int(np.diff(np.concatenate([[-1], changes, [len(values) - 1]])).max()) if len(values) else 0


def scale_of(values: npt.NDArray[np.floating]) -> float | None:
    """Mean of log10 |value| where it isn't 0; None where there is no such value."""
    known = np.abs(values[np.isfinite(values) & (values != 0)]).astype(np.float64)
    return float(np.log10(known).mean()) if len(known) else None


def relative_error(actual: npt.NDArray[np.float64], predicted: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """|predicted − actual| as a share of the actual, at most 10, float64 [rows]."""
    share = np.abs(predicted - actual) / np.maximum(np.abs(actual), np.finfo(np.float32).tiny)
    return np.minimum(share, 10.0)
