"""Expressions turned into plain functions of one row, for checking a request without any array."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence

from perfcast.workloads._expressions import RELATIONS, Comparison, Expression, Operator, Scalar, evaluate


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan if not left else math.copysign(math.inf, left)


def _floor(value: float) -> float:
    return math.floor(value) if math.isfinite(value) else value


def _ceil(value: float) -> float:
    return math.ceil(value) if math.isfinite(value) else value


_FUNCTIONS: Mapping[Operator, Callable[..., float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": _divide,
    "floor": _floor,
    "ceil": _ceil,
    "minimum": min,
    "maximum": max,
}


class _RowArithmetic:
    """Makes expressions functions of a row (one float a feature, in declared order), in double precision."""

    def constant(self, value: float) -> Scalar:
        return lambda row: value

    def apply(self, operator: Operator, arguments: Sequence[Scalar]) -> Scalar:
        function = _FUNCTIONS[operator]
        if len(arguments) == 1:
            (single,) = arguments
            return lambda row: function(single(row))
        left, right = arguments
        return lambda row: function(left(row), right(row))


def scalar(expression: Expression, positions: Mapping[str, int]) -> Scalar:
    """The expression as a function of a row in which each name stands at its position."""
    columns: dict[str, Scalar] = {name: operator.itemgetter(position) for name, position in positions.items()}
    return evaluate(expression, columns, _RowArithmetic())


def holds(comparison: Comparison, positions: Mapping[str, int]) -> Callable[[Sequence[float]], bool]:
    """The rule as a function from a row to whether it holds."""
    left, right = scalar(comparison.left, positions), scalar(comparison.right, positions)
    relation = RELATIONS[comparison.relation]
    return lambda row: relation(left(row), right(row))
