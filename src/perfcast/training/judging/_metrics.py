"""How good predictions are, on rows that nothing else has seen (rule R4)."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.manifest import COVERAGES, Calibration, Metrics
from perfcast.workloads import Rows, Workload

Doubles: TypeAlias = npt.NDArray[np.float64]


def evaluate(
    actual: Rows, predicted: Rows, calibration: Calibration | None = None, spread: Rows | None = None
) -> Metrics:
    """Compare predictions with what was measured.

    Args:
        actual: Measured cost, float32 [rows].
        predicted: Predicted cost, float32 [rows].
        calibration: To judge the intervals too.
        spread: How far the model's members disagree, float32 [rows], where the calibration asks for it.

    Returns:
        All metrics; percentage errors are left out where a measured cost is 0 or below.
    """
    truth, answer = actual.astype(np.float64), predicted.astype(np.float64)
    error = np.abs(answer - truth)
    varied = float(((truth - truth.mean()) ** 2).sum())
    squared = float((error**2).sum())
    return Metrics(
        rows=len(truth),
        mae=float(error.mean()),
        rmse=(squared / len(truth)) ** 0.5,
        r2=1 - squared / varied if varied > 0 else float(squared == 0),
        **_percentages(error, truth),
        **_intervals(truth, answer, calibration, spread),
    )


def score(workload: Workload, actual: Rows, predicted: Rows) -> float:
    """The one number that tuning and promotion go by, less is better.

    The mean absolute percentage error where errors are relative, else the mean absolute error in the cost's unit.
    """
    mean = float(errors(workload, actual, predicted).mean())
    return 100 * mean if workload.cost.relative else mean


def errors(workload: Workload, actual: Rows, predicted: Rows) -> Doubles:
    """Each row's, float64 [rows]: absolute, or as a share of the measured cost where they are relative."""
    truth, answer = actual.astype(np.float64), predicted.astype(np.float64)
    error = np.abs(answer - truth)
    return np.asarray(error / truth if workload.cost.relative else error)


def worst_fifth(answer: Doubles, inside: npt.NDArray[np.bool_]) -> float:
    """The least share of rows inside their intervals, of the fifths of the rows by predicted cost."""
    fifths = np.array_split(inside[np.argsort(answer, kind="stable")], min(5, len(answer)))
    return min(float(fifth.mean()) for fifth in fifths)


def _percentages(error: Doubles, truth: Doubles) -> dict[str, Any]:
    names = ("mape", "median_ape", "within_5", "within_10", "within_20")
    if not (truth > 0).all():
        return dict.fromkeys(names)
    share = 100 * error / truth
    values = [
        float(share.mean()),
        float(np.median(share)),
        *(100 * float((share <= most).mean()) for most in (5, 10, 20)),
    ]
    return dict(zip(names, values, strict=True))


def _intervals(truth: Doubles, answer: Doubles, calibration: Calibration | None, spread: Rows | None) -> dict[str, Any]:
    found: dict[str, dict[str, float]] = {"coverage": {}, "worst_fifth": {}, "width": {}, "relative_width": {}}
    positive = answer > 0
    for asked in COVERAGES:
        bounds = calibration.intervals(answer, asked, spread) if calibration is not None else None
        if bounds is None:
            continue
        (lower, upper), name = bounds, str(asked)
        inside = (lower <= truth) & (truth <= upper)
        found["coverage"][name] = 100 * float(inside.mean())
        found["worst_fifth"][name] = 100 * worst_fifth(answer, inside)
        found["width"][name] = float((upper - lower).mean())
        if positive.any():
            found["relative_width"][name] = 100 * float(np.median(((upper - lower)[positive]) / answer[positive]))
    return found
