"""Rows put into the sums of an hour."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from perfcast.monitoring._judged import Judged
from perfcast.monitoring._records import Record
from perfcast.monitoring.drift._state import COST, Hour

Doubles = npt.NDArray[np.float64]


def relative_error(actual: Doubles, predicted: Doubles) -> Doubles:
    """|predicted − actual| as a share of the actual, at most 10, float64 [rows]."""
    share = np.abs(predicted - actual) / np.maximum(np.abs(actual), np.finfo(np.float32).tiny)
    return np.minimum(share, 10.0)


def scale_of(values: npt.NDArray[np.floating]) -> float | None:
    """Mean of log10 |value| where it isn't 0; None where there is no such value."""
    logs = _logs(values)
    return float(logs.mean()) if len(logs) else None


def arrivals(records: Sequence[Record], columns: Mapping[str, npt.NDArray[np.floating]], outside: int) -> Hour:
    """What predictions of one hour add to it.

    Args:
        records: The predictions.
        columns: Their features, float [rows] each.
        outside: How many have a feature outside what was trained.
    """
    widths = [held[1] - held[0] for record in records if (held := record.interval) is not None]
    sums = Hour(rows=len(records), outside=outside, width=sum(widths), intervals=len(widths))
    _add_values(sums, columns)
    return sums


def outcomes(judged: Sequence[Judged], actual: Doubles, answers: Doubles, errors: Doubles) -> Hour:
    """What predictions of one hour whose truth is known add to it.

    Args:
        judged: The predictions.
        actual: Their truth, float64 [rows].
        answers: Their costs, float64 [rows].
        errors: How far apart these are, float64 [rows].
    """
    covered = [held[0] <= one.actual <= held[1] for one in judged if (held := one.record.interval) is not None]
    sums = Hour(
        rows=len(judged),
        intervals=len(covered),
        misses=covered.count(False),
        error=float(errors.sum()),
        signed=float((np.sign(actual - answers) * errors).sum()),
    )
    _add_values(sums, {COST: actual})
    return sums


def _add_values(sums: Hour, columns: Mapping[str, npt.NDArray[np.floating]]) -> None:
    for name, values in columns.items():
        logs = _logs(values)
        sums.logs[name], sums.nonzero[name] = float(logs.sum()), len(logs)
        sums.missing[name] = int((~np.isfinite(values)).sum())


def _logs(values: npt.NDArray[np.floating]) -> Doubles:
    """log10 |value| of those that are numbers and not 0."""
    found: Doubles = np.log10(np.abs(values[np.isfinite(values) & (values != 0)]).astype(np.float64))
    return found
