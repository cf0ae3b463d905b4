"""From columns of one span to rows: the same instants side by side, checked against the workload's declaration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

import numpy as np
import numpy.typing as npt

from perfcast.collect._collection import CAPACITY, Collection
from perfcast.collect._span import Instants, Span
from perfcast.workloads import ArrayArithmetic, Rows, check_table, clock_columns, evaluate

Column = npt.NDArray[np.float64]
_ROUNDING = 1.02
"""A cost so little above its maximum is the maximum: rates over scrapes that jitter read 100.4 % of two full cores."""


@dataclass(frozen=True)
class Taken:
    """Rows, and where there are none.

    Attributes:
        at: Seconds since 1970, int64 [rows].
        features: float32 [rows, features], in declared order.
        cost: float32 [rows].
        left_out: By instant, why it has no row.
    """

    at: Instants
    features: Rows
    cost: Rows
    left_out: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.at)


def take_rows(collection: Collection, span: Span, columns: Mapping[str, Column], zone: tzinfo = UTC) -> Taken:
    """Put columns side by side: a row for each instant at which every one has a usable number.

    Args:
        collection: What the columns are.
        span: Their instants.
        columns: float64 [instants] for each query, NaN where it gave nothing.
        zone: Of the clock that decides clock features.
    """
    values = _features(collection, span, columns, zone)
    cost = target(collection, columns)
    features = np.stack([values[name] for name in collection.workload.feature_names], axis=1).astype(np.float32)
    costs = cost.astype(np.float32)
    reasons: dict[int, str] = {}
    asked = {name: column for name, column in columns.items() if name != CAPACITY} | {
        collection.workload.cost.name: cost
    }
    for name, column in asked.items():
        _note(reasons, np.flatnonzero(~np.isfinite(column)), f"{name} has no value")
    for refusal in check_table(collection.workload, features, costs):
        _note(reasons, refusal.rows, f"{refusal.field} {refusal.message.partition(', got ')[0]}")
    right = np.setdiff1d(np.arange(len(span)), np.fromiter(reasons, dtype=np.int64, count=len(reasons)))
    instants = span.instants
    left_out = {int(instants[row]): reason for row, reason in reasons.items()}
    return Taken(instants[right], features[right], costs[right], left_out)


def target(collection: Collection, columns: Mapping[str, Column]) -> Column:
    """The cost, float64 [instants]: the target, in percent of the capacity where there is one."""
    cost = collection.workload.cost
    found = columns[cost.name]
    if collection.has_capacity:
        capacity = columns[CAPACITY] if CAPACITY in columns else collection.constants[CAPACITY]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(capacity > 0, 100.0 * found / capacity, np.nan)
    if cost.maximum > 0:
        found = np.where((found > cost.maximum) & (found <= _ROUNDING * cost.maximum), cost.maximum, found)
    return found


def _features(collection: Collection, span: Span, columns: Mapping[str, Column], zone: tzinfo) -> dict[str, Column]:
    by_clock = clock_columns(span.instants.astype("datetime64[s]"), collection.clock_features, zone)
    values: dict[str, Column] = {}
    for feature in collection.workload.features:
        name = feature.name
        if name in columns:
            values[name] = columns[name]
        elif name in collection.constants:
            values[name] = np.full(len(span), collection.constants[name])
        elif name in by_clock:
            values[name] = by_clock[name]
        else:
            assert feature.default is not None  # checked when the file was read
            known: dict[str, Rows] = {other: column.astype(np.float32) for other, column in values.items()}
            found: Rows = evaluate(feature.default, known, ArrayArithmetic())
            values[name] = np.broadcast_to(found, len(span)).astype(np.float64)
    return values


def _note(reasons: dict[int, str], rows: npt.NDArray[np.int64], reason: str) -> None:
    """The first reason of a row counts."""
    for row in rows.tolist():
        reasons.setdefault(row, reason)
