"""Reading one row of features out of a caller's mapping, with every mistake named."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from difflib import get_close_matches

from perfcast.errors import FieldError, InvalidInput
from perfcast.workloads._clock import CLOCK, read_moment
from perfcast.workloads._expressions import Comparison, Expression, Operator, Scalar, evaluate
from perfcast.workloads._feature import LARGEST, Feature
from perfcast.workloads._workload import Workload

TIMESTAMP = "timestamp"


class RowReader:
    """Turns a mapping of features into numbers, or says all that is wrong; a `timestamp` is read in `zone`."""

    def __init__(self, workload: Workload, zone: tzinfo = UTC) -> None:
        self._workload = workload
        self._zone = zone
        self._positions = {name: position for position, name in enumerate(workload.feature_names)}
        self._clock = tuple(feature.name for feature in workload.features if feature.declaration.clock)
        self._defaults = {
            feature.name: scalar(feature.default, self._positions)
            for feature in workload.features
            if feature.default is not None
        }
        self._rules = [(holds(rule.comparison, self._positions), rule.error) for rule in workload.rules]

    def read(self, features: Mapping[str, object]) -> list[float]:
        """Read one row: a float for each feature in declared order, defaults filled in, choices as positions.

        `timestamp` may stand for the clock features.

        Raises:
            InvalidInput: Names every field that is missing, unknown, of the wrong type, out of bounds or breaks a rule.
        """
        errors: list[FieldError] = []
        given = self._with_clock(features, errors)
        errors += [unknown_feature(name, self._workload) for name in given if name not in self._positions]
        row: list[float] = []
        for feature in self._workload.features:
            row.append(self._value(feature, given, row, errors))
        if not errors:
            errors.extend(self.broken_rules(row))
        if errors:
            raise InvalidInput(errors)
        return row

    def broken_rules(self, row: list[float]) -> list[FieldError]:
        """What the row's values, each allowed by itself, break together."""
        return [error for rule, error in self._rules if not rule(row)]

    def fill(self, row: list[float | None]) -> list[float]:
        """The row with each None replaced by its feature's default.

        Raises:
            KeyError: A required feature is None.
        """
        names = self._workload.feature_names
        filled: list[float] = []
        for position, value in enumerate(row):
            filled.append(self._defaults[names[position]](filled) if value is None else value)
        return filled

    def _with_clock(self, features: Mapping[str, object], errors: list[FieldError]) -> Mapping[str, object]:
        if TIMESTAMP not in features or not self._clock or TIMESTAMP in self._positions:
            return features
        given = {name: value for name, value in features.items() if name != TIMESTAMP}
        try:
            when = read_moment(features[TIMESTAMP], self._zone)
        except ValueError as error:
            errors.append(FieldError(TIMESTAMP, str(error)))
            return given | dict.fromkeys(self._clock, 0.0)
        return {name: CLOCK[name](when) for name in self._clock} | given

    def _value(
        self, feature: Feature, given: Mapping[str, object], row: list[float], errors: list[FieldError]
    ) -> float:
        value = given.get(feature.name)
        if feature.lacks(value):
            return self._missing(feature, row, errors)
        try:
            number = feature.encode(value)
        except ValueError as error:
            errors.append(FieldError(feature.name, str(error)))
            return 0.0
        if not feature.minimum <= number <= feature.maximum:
            errors.append(FieldError(feature.name, out_of_bounds(feature, number)))
        return number

    def _missing(self, feature: Feature, row: list[float], errors: list[FieldError]) -> float:
        if feature.default is not None:
            return self._defaults[feature.name](row)
        errors.append(missing_feature(feature))
        return 0.0


def unknown_feature(name: str, workload: Workload) -> FieldError:
    """What to tell of a name that is none of the workload's features."""
    close = get_close_matches(name, workload.feature_names, n=1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    return FieldError(name, f"is not a feature of {workload.name}{hint}")


def missing_feature(feature: Feature) -> FieldError:
    """What to tell where a required feature isn't given."""
    hint = f" (or give '{TIMESTAMP}')" if feature.declaration.clock else ""
    return FieldError(feature.name, f"is required{hint}")


def out_of_bounds(feature: Feature, number: float) -> str:
    """What to tell a caller whose number is outside the feature's bounds."""
    if feature.minimum <= -LARGEST:
        expected = f"at most {feature.maximum:g}"
    elif feature.maximum >= LARGEST:
        expected = f"at least {feature.minimum:g}"
    else:
        expected = f"between {feature.minimum:g} and {feature.maximum:g}"
    return f"must be {'finite and ' if math.isinf(number) else ''}{expected}, got {number:g}"


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
    relation = comparison.relation
    return lambda row: relation(left(row), right(row))
