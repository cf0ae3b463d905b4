"""Sizing intervals by split-conformal prediction, in bands of predicted cost, or of how far members disagree."""

import math

import msgspec
import numpy as np

from perfcast.manifest import COVERAGES, Calibration
from perfcast.training.judging._bands import Doubles, Held, banded, distances
from perfcast.workloads import LARGEST, Rows, Workload


def calibrate(workload: Workload, actual: Rows, predicted: Rows, spread: Rows | None = None) -> Calibration:
    """Make the table of widths from rows that the model never saw.

    Args:
        workload: Whose cost it is.
        actual: Measured cost, float32 [rows].
        predicted: Predicted cost, float32 [rows].
        spread: How far the model's members disagree, float32 [rows]; None where it has none.

    Returns:
        Widths for each coverage that so many rows can promise, wider bands where rows are few.
    """
    cost, relative = predicted.astype(np.float64), workload.cost.relative
    known = None if spread is None or not np.isfinite(spread).all() else spread.astype(np.float64)
    held = Held(cost, _residuals(actual.astype(np.float64), cost, relative=relative), known)
    least, most = max(workload.cost.minimum, -LARGEST), min(workload.cost.maximum, LARGEST)
    table = banded(Calibration(relative, edges=(), widths={}, minimum=least, maximum=most, rows=len(cost)), held)
    reach = {str(coverage): distances(table, held, coverage) for coverage in COVERAGES}
    widths = {name: _widths(found, relative=relative) for name, found in reach.items() if found is not None}
    return msgspec.structs.replace(table, widths=widths)


def _residuals(actual: Doubles, predicted: Doubles, *, relative: bool) -> Doubles:
    if not relative:
        return np.abs(actual - predicted)
    factor = actual / np.maximum(predicted, np.finfo(np.float32).tiny)
    return np.abs(np.log(factor))


def _widths(reach: Doubles, *, relative: bool) -> tuple[float, ...]:
    return tuple(math.exp(min(distance, 80.0)) if relative else distance for distance in reach.tolist())
