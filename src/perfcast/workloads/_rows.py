"""Reading one row of features out of a caller's mapping, with every mistake named."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from difflib import get_close_matches

from perfcast.errors import FieldError, InvalidInput
from perfcast.workloads._clock import CLOCK, read_moment
from perfcast.workloads._feature import LARGEST, Feature
from perfcast.workloads._scalars import holds, scalar
from perfcast.workloads._workload import Workload

TIMESTAMP = "timestamp"


class RowReader:
    """Turns a mapping of features into a row of numbers, or says all that is wrong with it.

    Args:
        workload: Whose features to read.
        zone: Time zone in which a `timestamp` becomes time features.
    """

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
        """Read one row.

        Args:
            features: Values by feature name; `timestamp` may stand for the clock features.

        Returns:
            One float a feature, in declared order, defaults filled in, choices as positions.

        Raises:
            InvalidInput: Names every field that is missing, unknown, of the wrong type, out of bounds or breaks a rule.
        """
        errors: list[FieldError] = []
        given = self._with_clock(features, errors)
        self._refuse_unknown(given, errors)
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

    def _refuse_unknown(self, given: Mapping[str, object], errors: list[FieldError]) -> None:
        for name in given:
            if name not in self._positions:
                close = get_close_matches(name, self._positions, n=1)
                hint = f"; did you mean '{close[0]}'?" if close else ""
                errors.append(FieldError(name, f"is not a feature of {self._workload.name}{hint}"))

    def _value(
        self, feature: Feature, given: Mapping[str, object], row: list[float], errors: list[FieldError]
    ) -> float:
        value = given.get(feature.name)
        if value is None:
            return self._missing(feature, row, errors)
        try:
            number = self._workload.encode(feature, value)
        except ValueError as error:
            errors.append(FieldError(feature.name, str(error)))
            return 0.0
        if not feature.minimum <= number <= feature.maximum:
            errors.append(FieldError(feature.name, out_of_bounds(feature, number)))
        return number

    def _missing(self, feature: Feature, row: list[float], errors: list[FieldError]) -> float:
        if feature.default is not None:
            return self._defaults[feature.name](row)
        hint = f" (or give '{TIMESTAMP}')" if feature.declaration.clock else ""
        errors.append(FieldError(feature.name, f"is required{hint}"))
        return 0.0


def out_of_bounds(feature: Feature, number: float) -> str:
    """What to tell a caller whose number is outside the feature's bounds."""
    if feature.minimum <= -LARGEST:
        expected = f"at most {feature.maximum:g}"
    elif feature.maximum >= LARGEST:
        expected = f"at least {feature.minimum:g}"
    else:
        expected = f"between {feature.minimum:g} and {feature.maximum:g}"
    return f"must be {expected}, got {number:g}"
