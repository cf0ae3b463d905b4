"""Checking a whole table of rows against a workload's declaration."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from perfcast.workloads._expressions import ArrayArithmetic, evaluate
from perfcast.workloads._feature import Feature
from perfcast.workloads._rows import out_of_bounds
from perfcast.workloads._workload import Rows, Workload

Flags = npt.NDArray[np.bool_]
_MISSING = "is missing or not a finite number"
_BLOCK = 65_536
"""Rows that are checked together, so that what is computed for it stays small."""


@dataclass(frozen=True)
class Refusal:
    """Rows that break the declaration in one way.

    Attributes:
        field: The column at fault.
        message: What was expected, with the first offending value.
        rows: int64 [n], their positions in the table, counted from 0.
        own: The message of one of the rows, with its own value; None where all are told the same.
    """

    field: str
    message: str
    rows: npt.NDArray[np.int64]
    own: Callable[[int], str] | None = None

    def of(self, row: int) -> str:
        """What to tell about one of the rows."""
        return self.own(row) if self.own else self.message

    def said(self, field: str, say: Callable[[str], str]) -> "Refusal":
        """The same of another field, in other words."""
        of = self.own
        return replace(
            self, field=field, message=say(self.message), own=None if of is None else lambda row: say(of(row))
        )

    def moved(self, by: int) -> "Refusal":
        """The same of rows in a table with so many above them."""
        of = self.own
        return replace(self, rows=self.rows + by, own=None if of is None else lambda row: of(row - by))

    def without(self, others: "Iterable[Refusal]") -> "Refusal":
        """Only the rows that the others, of the same field, don't tell of."""
        told = [other.rows for other in others if other.field == self.field]
        return replace(self, rows=np.setdiff1d(self.rows, np.concatenate(told))) if told else self


def merged(refusals: Iterable[Refusal]) -> list[Refusal]:
    """One refusal for each way in which rows are wrong, with the first value that is."""
    found: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in refusals:
        found.setdefault((refusal.field, refusal.message.partition(", got ")[0]), []).append(refusal)
    return [
        replace(same[0], rows=np.concatenate([bad.rows for bad in same]), own=None) if len(same) > 1 else same[0]
        for same in found.values()
    ]


def right_rows(refusals: Iterable[Refusal], rows: int) -> Flags:
    """Which of so many rows no refusal tells of, bool [rows]."""
    right = np.ones(rows, dtype=np.bool_)
    for refusal in refusals:
        right[refusal.rows] = False
    return right


def check_table(workload: Workload, features: Rows, cost: Rows | None = None) -> list[Refusal]:
    """Everything that is wrong with a table, an entry for each way in which rows are.

    Args:
        workload: Whose declaration to check against.
        features: float32 [rows, features], in declared order; NaN where a value is missing.
        cost: float32 [rows], where measured.
    """
    parts = [slice(begin, begin + _BLOCK) for begin in range(0, len(features), _BLOCK)]
    costs = [None if cost is None else cost[part] for part in parts]
    return merged(
        bad.moved(part.start)
        for part, known in zip(parts, costs, strict=True)
        for bad in _wrong(workload, features[part], known)
    )


def _wrong(workload: Workload, features: Rows, cost: Rows | None) -> list[Refusal]:
    found = [*_bounds(workload, features)]
    found += _rules(workload, features, right_rows(found, len(features)))
    found += _finite_inputs(workload, features, right_rows(found, len(features)))
    if cost is not None:
        found += _cost(workload, cost)
    return found


def _refusal(field: str, wrong: Flags, message: str, own: Callable[[int], str] | None = None) -> Iterator[Refusal]:
    rows = np.flatnonzero(wrong)
    if len(rows):
        yield Refusal(field, own(int(rows[0])) if own else message, rows, own)


def _bounds(workload: Workload, features: Rows) -> Iterator[Refusal]:
    for position, feature in enumerate(workload.features):
        column = features[:, position]
        missing = np.isnan(column)
        yield from _refusal(feature.name, missing, _MISSING)
        outside = (column < feature.minimum) | (column > feature.maximum)
        yield from _refusal(feature.name, outside, "", partial(_outside, feature, column))
        if feature.whole:
            fraction = ~missing & (column != np.floor(column))
            yield from _refusal(feature.name, fraction, "", partial(_fraction, column))


def _outside(feature: Feature, column: Rows, row: int) -> str:
    return out_of_bounds(feature, float(column[row]))


def _fraction(column: Rows, row: int) -> str:
    return f"must be a whole number, got {column[row]!s}"


def rules_hold(workload: Workload, columns: Rows) -> Iterator[Flags]:
    """For each rule whether it holds, bool [rows], from float32 [features, rows]."""
    values = dict(zip(workload.feature_names, columns, strict=True))
    for rule in workload.rules:
        sides = (evaluate(side, values, ArrayArithmetic()) for side in (rule.comparison.left, rule.comparison.right))
        yield rule.comparison.relation(*sides)


def _rules(workload: Workload, features: Rows, right: Flags) -> Iterator[Refusal]:
    for rule, holds in zip(workload.rules, rules_hold(workload, features.T), strict=True):
        yield from _refusal(rule.error.field, ~holds & right, rule.error.message)


def _finite_inputs(workload: Workload, features: Rows, right: Flags) -> Iterator[Refusal]:
    inputs = workload.inputs(features)
    for position, name in enumerate(workload.input_names):
        wrong = ~np.isfinite(inputs[:, position]) & right
        yield from _refusal(name, wrong, "can't be computed from this row (division by zero or overflow)")


def _cost(workload: Workload, cost: Rows) -> Iterator[Refusal]:
    name, minimum, maximum = workload.cost.name, workload.cost.minimum, workload.cost.maximum
    yield from _refusal(name, np.isnan(cost), _MISSING)
    expected = f"must lie between {minimum:g} and {maximum:g} {workload.cost.unit}".strip()
    outside = (cost < minimum) | (cost > maximum)
    yield from _refusal(name, outside, "", lambda row: f"{expected}, got {cost[row]:g}")
    if workload.cost.relative:
        yield from _refusal(name, ~outside & (cost <= 0), "must be above 0, got 0")
