"""Expressions turned into plain functions of one row, for checking a request without any array."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence

from perfcast.workloads._expressions import RELATIONS, Comparison, Expression, Name, Number, Operation, Operator, Scalar


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan if not left else math.copysign(math.inf, left)


def _floor(value: float) -> float:
    return math.floor(value) if math.isfinite(value) else value


def _ceil(value: float) -> float:
    return math.ceil(value) if math.isfinite(value) else value


_UNARY: Mapping[Operator, Callable[[float], float]] = {"floor": _floor, "ceil": _ceil}
_BINARY: Mapping[Operator, Callable[[float, float], float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": _divide,
    "minimum": min,
    "maximum": max,
}


def scalar(expression: Expression, positions: Mapping[str, int]) -> Scalar:
    """The expression as a function of a row.

    Args:
        expression: What `parse` returned.
        positions: Where in the row each name stands.

    Returns:
        A function from a row (one float a feature, in declared order) to the value, in double precision.
    """
    match expression:
        case Number(value):
            return lambda row: value
        case Name(name):
            return operator.itemgetter(positions[name])
        case Operation(symbol, (single,)):
            return _unary(_UNARY[symbol], scalar(single, positions))
        case Operation(symbol, (left, right)):
            return _binary(_BINARY[symbol], scalar(left, positions), scalar(right, positions))
    raise TypeError(f"not an expression: {expression!r}")


def holds(comparison: Comparison, positions: Mapping[str, int]) -> Callable[[Sequence[float]], bool]:
    """The rule as a function from a row to whether it holds."""
    left, right = scalar(comparison.left, positions), scalar(comparison.right, positions)
    relation = RELATIONS[comparison.relation]
    return lambda row: relation(left(row), right(row))


def _unary(function: Callable[[float], float], argument: Scalar) -> Scalar:
    return lambda row: function(argument(row))


def _binary(function: Callable[[float, float], float], left: Scalar, right: Scalar) -> Scalar:
    return lambda row: function(left(row), right(row))
