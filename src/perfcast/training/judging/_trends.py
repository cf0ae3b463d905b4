"""Whether a version keeps the trends that its workload declares: found out by asking it, not taken from its family."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.export import LARGEST_DIFFERENCE, Predict
from perfcast.training._path import Path
from perfcast.workloads import Feature, Rows, Workload, check_table, right_rows

Doubles: TypeAlias = npt.NDArray[np.float64]
Truths: TypeAlias = npt.NDArray[np.bool_]
MOST_ROWS, STEPS = 200, 12
LEAST, MOST = 0.25, 3.0
"""Each row's value is swept over these multiples of it."""


def broken_trends(path: Path, predict: Predict, features: Rows, of_inputs: Predict | None = None) -> str:
    """Sweep each feature that has a trend while those that follow it, and derived quantities, move along.

    Args:
        path: How features move together; its workload declares the trends.
        predict: From float32 [rows, features] to the cost, float32 [rows].
        features: Rows that the model has not learnt from; some of them are used.
        of_inputs: From float32 [rows, inputs], as the path gives them, to the cost; with it each derived quantity that
            has a trend is swept too, alone, and what lies beyond the path stays as it is to the last bit.

    Returns:
        A note that says with which of them the cost goes the wrong way, by more than graph and native model may differ,
        and in how many steps; empty where it never does.
    """
    workload, rows = path.workload, features[:: -(-len(features) // MOST_ROWS)]
    told = []
    for position, (name, trend) in enumerate(zip(path.input_names, path.trends, strict=True)):
        feature = path.features.get(position)
        if feature is not None and workload.trends[feature]:
            swept = path.follow(_swept(rows, feature, workload.features[feature]), np.repeat(rows, STEPS, axis=0))
            allowed = right_rows(check_table(workload, swept), len(swept))
            answers = of_inputs(_along(path, swept, rows)) if path.slopes and of_inputs is not None else predict(swept)
        elif feature is None and trend and of_inputs is not None:
            swept = _swept(path.inputs(rows), position)
            allowed, answers = np.ones(len(swept), dtype=np.bool_), of_inputs(swept)
        else:
            continue
        wrong, steps = _wrong_steps(workload, trend * answers.astype(np.float64), allowed)
        if wrong:
            told.append(f"{name} in {wrong} of {steps} steps")
    return f"doesn't keep trends: on held-out rows the cost goes the wrong way with {', '.join(told)}" if told else ""


def _swept(rows: Rows, position: int, feature: Feature | None = None) -> Rows:
    """Each row `STEPS` times, one column rising; where the row has 0 there, over multiples of what is usual."""
    values = rows[:, position]
    usual = float(np.median(np.abs(values[values != 0]))) if values.any() else 1.0
    ladder = np.linspace(LEAST, MOST, STEPS) * np.where(values == 0, usual, values)[:, None]
    if feature is not None:
        ladder = np.clip(np.rint(ladder) if feature.whole else ladder, feature.minimum, feature.maximum)
    swept = np.repeat(rows, STEPS, axis=0)
    swept[:, position] = np.sort(ladder, axis=1).reshape(-1)
    return swept


def _along(path: Path, swept: Rows, rows: Rows) -> Rows:
    """Inputs of swept rows, of which rounding mustn't move what lies beyond the path."""
    inputs, beyond = path.inputs(swept), list(path.beyond)
    inputs[:, beyond] = np.repeat(path.inputs(rows)[:, beyond], STEPS, axis=0)
    return inputs


def _wrong_steps(workload: Workload, answers: Doubles, allowed: Truths) -> tuple[int, int]:
    """How many steps fall, and how many there are between rows that the workload allows."""
    size = np.abs(answers)
    slack = LARGEST_DIFFERENCE * (size if workload.cost.relative else np.full_like(size, size.max(initial=0.0)))
    shape = (-1, STEPS)
    both = allowed.reshape(shape)[:, 1:] & allowed.reshape(shape)[:, :-1]
    falls = np.diff(answers.reshape(shape), axis=1) < -slack.reshape(shape)[:, :-1]
    return int((falls & both).sum()), int(both.sum())
