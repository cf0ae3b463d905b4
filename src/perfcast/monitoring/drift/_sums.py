"""Rows put into the sums of an hour."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from perfcast.manifest import DEFAULT_COVERAGE, Manifest
from perfcast.monitoring._judged import Judged
from perfcast.monitoring._records import Record
from perfcast.monitoring.drift._state import COST, Hour

Doubles = npt.NDArray[np.float64]


def outside_training(rows: npt.NDArray[np.float32], names: Sequence[str], manifest: Manifest) -> npt.NDArray[np.bool_]:
    """Which rows, float32 [rows, features], have a feature outside what was trained: bool [rows]."""
    bounds = [manifest.ranges.get(name, (-np.inf, np.inf)) for name in names]
    low, high = np.array(bounds, dtype=np.float32).T
    found: npt.NDArray[np.bool_] = ((rows < low) | (rows > high)).any(axis=1)
    return found


def arrivals(records: Sequence[Record], columns: Mapping[str, npt.NDArray[np.floating]], outside: int) -> Hour:
    """What predictions of one hour add to it.

    Args:
        records: The predictions.
        columns: Their features, float [rows] each.
        outside: How many have a feature outside what was trained.
    """
    widths = [
        record.upper - record.lower
        for record in records
        if record.lower is not None and record.upper is not None and record.coverage == DEFAULT_COVERAGE
    ]
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
    held = [
        record.lower <= one.actual <= record.upper
        for one in judged
        if (record := one.record).lower is not None and record.upper is not None and record.coverage == DEFAULT_COVERAGE
    ]
    sums = Hour(
        rows=len(judged),
        intervals=len(held),
        misses=held.count(False),
        error=float(errors.sum()),
        signed=float((np.sign(actual - answers) * errors).sum()),
        actual=float(actual.sum()),
        predicted=float(answers.sum()),
    )
    _add_values(sums, {COST: actual})
    return sums


def _add_values(sums: Hour, columns: Mapping[str, npt.NDArray[np.floating]]) -> None:
    for name, values in columns.items():
        known = np.abs(values[np.isfinite(values) & (values != 0)]).astype(np.float64)
        sums.logs[name], sums.nonzero[name] = float(np.log10(known).sum()), len(known)
        sums.missing[name] = int((~np.isfinite(values)).sum())
