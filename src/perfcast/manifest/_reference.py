"""What is usual for a version, so that what isn't is noticed."""

from collections.abc import Mapping

import msgspec

BUDGETS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""False alarms a week for which thresholds are made at training; which one holds is a setting."""


class Chart(msgspec.Struct, frozen=True):
    """What a mean over an hour usually is, and when the sum of what it is above that is an alarm.

    After each hour the sum becomes max(0, sum + min(mean, most) − usual − allowance) (Page, Continuous Inspection
    Schemes, Biometrika 41, 1954).

    Attributes:
        usual: Mean on held-out rows, in the unit of the mean.
        allowance: What is overlooked.
        most: What counts of one hour at most, so that a single hour never alarms.
        thresholds: For each of `BUDGETS`, written as text, the sum at which it is an alarm.
    """

    usual: float
    allowance: float
    most: float
    thresholds: Mapping[str, float]


class InputReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one feature was like in training.

    Attributes:
        edges: Where one bin ends and the next begins, rising; the first and the last bin are outside what was trained.
        shares: Share of the training rows in each bin; one more than edges.
        thresholds: For each of `BUDGETS`, the distance from these shares at which a day is unlike training.
        scale: Mean of log10 |value| where it isn't 0; None where there is no such value.
        longest_run: How many rows in a row had one value at most; None where the rows had no order or few values.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    thresholds: Mapping[str, float]
    scale: float | None = None
    longest_run: int | None = None


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is usual for a version, so that it can be told later what isn't (`monitoring/drift`).

    Attributes:
        inputs: By feature; without those that a clock decides.
        errors: Hours' mean errors, in the cost's unit, or as a share of the true cost where errors are relative.
        misses: Hours' shares of true costs outside their intervals; None where there are no intervals.
        outside: Hours' shares of rows outside what was trained.
        burst: An error of one row above this is no usual one.
        cost_scale, cost_run: Of the true costs what `scale` and `longest_run` are of a feature.
        width: Mean width of an interval at the default coverage.
        rows: Held-out rows that thresholds were made from.
        days: Whole days among them; 0 where rows were drawn one by one.
        method: How the thresholds came about, in words.
        background: Some of the training rows, [rows, features], with which one that is explained is compared.
    """

    inputs: Mapping[str, InputReference]
    errors: Chart
    outside: Chart
    burst: float
    rows: int
    days: int
    method: str
    misses: Chart | None = None
    cost_scale: float | None = None
    cost_run: int | None = None
    width: float | None = None
    background: tuple[tuple[float, ...], ...] = ()

    def with_errors(self, usual: float) -> "Reference":
        """The same with another usual error; thresholds and all else that is about errors go with it."""
        times, chart = usual / self.errors.usual, self.errors
        thresholds = {budget: times * held for budget, held in chart.thresholds.items()}
        errors = Chart(usual, times * chart.allowance, times * chart.most, thresholds)
        return msgspec.structs.replace(self, errors=errors, burst=times * self.burst)
