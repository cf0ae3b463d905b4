"""Checking a whole table of rows against a workload's declaration."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perfcast.workloads._expressions import ArrayArithmetic, evaluate
from perfcast.workloads._feature import Feature
from perfcast.workloads._rows import out_of_bounds
from perfcast.workloads._workload import Rows, Workload

Flags = npt.NDArray[np.bool_]
_RELATIONS: Mapping[str, Callable[[Rows, Rows], Flags]] = {
    "<=": np.less_equal,
    ">=": np.greater_equal,
    "<": np.less,
    ">": np.greater,
    "==": np.equal,
    "!=": np.not_equal,
}


@dataclass(frozen=True)
class Refusal:
    """Rows that break the declaration in one way.

    Attributes:
        field: The column at fault.
        message: What was expected, with the first offending value.
        rows: int64 [n], their positions in the table, counted from 0.
    """

    field: str
    message: str
    rows: npt.NDArray[np.int64]


def check_table(workload: Workload, features: Rows, cost: Rows | None = None) -> list[Refusal]:
    """Everything that is wrong with a table.

    Args:
        workload: Whose declaration to check against.
        features: float32 [rows, features], in declared order; NaN where a value is missing.
        cost: float32 [rows], where measured.

    Returns:
        One entry for each way in which rows are wrong, worst place first found; empty when all are right.
    """
    found = [*_bounds(workload, features)]
    found += _rules(workload, features, _any(found, len(features)))
    found += _finite_inputs(workload, features, _any(found, len(features)))
    if cost is not None:
        found += _cost(workload, cost)
    return found


def _any(refusals: list[Refusal], rows: int) -> Flags:
    wrong = np.zeros(rows, dtype=np.bool_)
    for refusal in refusals:
        wrong[refusal.rows] = True
    return wrong


def _refusal(field: str, message: str, wrong: Flags) -> Iterator[Refusal]:
    if wrong.any():
        yield Refusal(field, message, np.flatnonzero(wrong))


def _bounds(workload: Workload, features: Rows) -> Iterator[Refusal]:
    for position, feature in enumerate(workload.features):
        column = features[:, position]
        missing = ~np.isfinite(column)
        yield from _refusal(feature.name, "is missing or not a finite number", missing)
        outside = ~missing & ((column < feature.minimum) | (column > feature.maximum))
        yield from _refusal(feature.name, _first_outside(feature, column, outside), outside)
        if feature.whole:
            fraction = ~missing & (column != np.floor(column))
            yield from _refusal(feature.name, "must be a whole number", fraction)


def _first_outside(feature: Feature, column: Rows, outside: Flags) -> str:
    return out_of_bounds(feature, float(column[np.argmax(outside)])) if outside.any() else ""


def rules_hold(workload: Workload, columns: Rows) -> Iterator[Flags]:
    """For each rule whether it holds, bool [rows], from float32 [features, rows]."""
    values = dict(zip(workload.feature_names, columns, strict=True))
    for rule in workload.rules:
        left = evaluate(rule.comparison.left, values, ArrayArithmetic())
        right = evaluate(rule.comparison.right, values, ArrayArithmetic())
        yield _RELATIONS[rule.comparison.relation](left, right)


def _rules(workload: Workload, features: Rows, already: Flags) -> Iterator[Refusal]:
    for rule, holds in zip(workload.rules, rules_hold(workload, features.T), strict=True):
        yield from _refusal(rule.error.field, rule.error.message, ~holds & ~already)


def _finite_inputs(workload: Workload, features: Rows, already: Flags) -> Iterator[Refusal]:
    inputs = workload.inputs(features)
    for position, name in enumerate(workload.input_names):
        wrong = ~np.isfinite(inputs[:, position]) & ~already
        yield from _refusal(name, "can't be computed from this row (division by zero or overflow)", wrong)


def _cost(workload: Workload, cost: Rows) -> Iterator[Refusal]:
    missing = ~np.isfinite(cost)
    yield from _refusal(workload.cost.name, "is missing or not a finite number", missing)
    outside = ~missing & ((cost < workload.cost.minimum) | (cost > workload.cost.maximum))
    message = f"must lie between {workload.cost.minimum:g} and {workload.cost.maximum:g} {workload.cost.unit}".strip()
    yield from _refusal(workload.cost.name, message, outside)
    if workload.cost.relative:
        yield from _refusal(workload.cost.name, "must be above 0", ~missing & ~outside & (cost <= 0))
