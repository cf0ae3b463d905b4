"""Sizing intervals by split-conformal prediction, in bands of predicted cost."""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.manifest import COVERAGES, Calibration
from perfcast.workloads import LARGEST, Rows, Workload

Doubles: TypeAlias = npt.NDArray[np.float64]
ROWS_PER_BAND = 150
FEWEST_BANDS, MOST_BANDS = 2, 10


def calibrate(workload: Workload, actual: Rows, predicted: Rows) -> Calibration:
    """Make the table of widths from rows that the model never saw.

    Args:
        workload: Whose cost it is.
        actual: Measured cost, float32 [rows].
        predicted: Predicted cost, float32 [rows].

    Returns:
        Widths for each coverage that so many rows can promise, wider bands of predicted cost where rows are few.
    """
    answer, relative = predicted.astype(np.float64), workload.cost.relative
    residuals = _residuals(actual.astype(np.float64), answer, relative=relative)
    edges = _edges(answer)
    band = np.searchsorted(edges, answer, side="right")
    parts = [residuals[band == number] for number in range(len(edges) + 1)]
    widths = {}
    for coverage in COVERAGES:
        pooled = conformal_quantile(residuals, coverage)
        if pooled is not None:
            found = [conformal_quantile(part, coverage) for part in parts]
            widths[str(coverage)] = tuple(_width(pooled if q is None else q, relative=relative) for q in found)
    return Calibration(
        relative=relative,
        edges=tuple(edges.tolist()),
        widths=widths,
        minimum=max(workload.cost.minimum, -LARGEST),
        maximum=min(workload.cost.maximum, LARGEST),
        rows=len(answer),
    )


def conformal_quantile(residuals: Doubles, coverage: float) -> float | None:
    """The ⌈(n + 1) · coverage⌉-th smallest residual.

    With it an interval holds a further exchangeable row with at least that probability (Vovk, Gammerman and Shafer
    2005, section 2.3; Lei et al. 2018, "Distribution-Free Predictive Inference for Regression", theorem 2.2).

    Args:
        residuals: float64 [rows], not negative.
        coverage: Between 0 and 1.

    Returns:
        None where there are too few rows to promise so much.
    """
    rank = math.ceil((len(residuals) + 1) * coverage - 1e-9)
    return float(np.partition(residuals, rank - 1)[rank - 1]) if 0 < rank <= len(residuals) else None


def _residuals(actual: Doubles, predicted: Doubles, *, relative: bool) -> Doubles:
    if not relative:
        return np.abs(actual - predicted)
    factor = actual / np.maximum(predicted, np.finfo(np.float32).tiny)
    return np.abs(np.log(factor))


def _width(quantile: float, *, relative: bool) -> float:
    return math.exp(min(quantile, 80.0)) if relative else quantile


def _edges(predicted: Doubles) -> Doubles:
    """Quantiles of the predicted cost, such that each band has about `ROWS_PER_BAND` rows or more."""
    bands = min(MOST_BANDS, len(predicted) // ROWS_PER_BAND)
    if bands < FEWEST_BANDS:
        return np.zeros(0)
    edges = np.unique(np.quantile(predicted, np.arange(1, bands) / bands, method="inverted_cdf"))
    # Many equal predictions can leave the first band empty.
    return np.asarray(edges[edges > predicted.min()], dtype=np.float64)
