"""Whether a version keeps the trends that its workload declares: found out by asking it, not taken from its family."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.export import LARGEST_DIFFERENCE, Predict
from perfcast.workloads import Rows, Workload, check_table

Doubles: TypeAlias = npt.NDArray[np.float64]
MOST_ROWS, STEPS = 200, 12
LEAST, MOST = 0.25, 3.0
"""Each row's value is swept over these multiples of it."""


def broken_trends(workload: Workload, predict: Predict, features: Rows) -> str:
    """Sweep each feature that has a trend, all else equal; derived quantities move along.

    Args:
        workload: Which declares the trends.
        predict: From float32 [rows, features] to the cost, float32 [rows].
        features: Rows that the model has not learnt from; some of them are used.

    Returns:
        A note that says with which feature the cost goes the wrong way, by more than graph and native model may differ,
        and in how many steps; empty where it never does.
    """
    rows = features[:: -(-len(features) // MOST_ROWS)]
    told = []
    for position, (feature, trend) in enumerate(zip(workload.features, workload.trends, strict=False)):
        if trend:
            swept = _swept(workload, rows, position)
            wrong, steps = _wrong_steps(workload, trend * predict(swept).astype(np.float64), swept)
            if wrong:
                told.append(f"{feature.name} in {wrong} of {steps} steps")
    return f"doesn't keep trends: on held-out rows the cost goes the wrong way with {', '.join(told)}" if told else ""


def _swept(workload: Workload, rows: Rows, position: int) -> Rows:
    """Each row `STEPS` times, one column rising; where the row has 0 there, over multiples of what is usual."""
    feature, values = workload.features[position], rows[:, position]
    usual = float(np.median(np.abs(values[values != 0]))) if values.any() else 1.0
    ladder = np.linspace(LEAST, MOST, STEPS) * np.where(values == 0, usual, values)[:, None]
    ladder = np.sort(np.clip(np.rint(ladder) if feature.whole else ladder, feature.minimum, feature.maximum), axis=1)
    swept = np.repeat(rows, STEPS, axis=0)
    swept[:, position] = ladder.reshape(-1)
    return swept


def _wrong_steps(workload: Workload, answers: Doubles, swept: Rows) -> tuple[int, int]:
    """How many steps fall, and how many there are between rows that the workload allows."""
    allowed = np.ones(len(swept), dtype=np.bool_)
    for refusal in check_table(workload, swept):
        allowed[refusal.rows] = False
    size = np.abs(answers)
    slack = LARGEST_DIFFERENCE * (size if workload.cost.relative else np.full_like(size, size.max(initial=0.0)))
    shape = (-1, STEPS)
    both = allowed.reshape(shape)[:, 1:] & allowed.reshape(shape)[:, :-1]
    falls = np.diff(answers.reshape(shape), axis=1) < -slack.reshape(shape)[:, :-1]
    return int((falls & both).sum()), int(both.sum())
