"""The largest load that keeps the upper bound of the cost within a limit."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from perfcast.capacity._following import Following
from perfcast.errors import InvalidInput, Refused
from perfcast.manifest import COVERAGES
from perfcast.workloads import Rows, Workload

CONFIDENCES = {round((1 + coverage) / 2, 4): coverage for coverage in COVERAGES}
"""That a cost is below the upper bound, and the coverage of the interval that has it: half of what is outside an
interval lies above it."""
REACH, UNKNOWN_REACH = 3.0, 30.0
"""Times the largest load that was seen, up to which is looked; of the present one where nobody knows what was seen."""
STEPS, FINER, ROUNDS = 121, 33, 2
"""Loads asked first; then, between the last that is well and the first that isn't, so many, so often."""


class Bounds(NamedTuple):
    """What is predicted of rows, float32 [rows] each."""

    cost: Rows
    lower: Rows
    upper: Rows


class CurvePoints(NamedTuple):
    """Loads and what is predicted at each, for a plot."""

    load: list[float]
    cost: list[float]
    lower: list[float]
    upper: list[float]


@dataclass(frozen=True)
class Headroom:
    """How much load a limit allows.

    Attributes:
        most: The largest load up to which the upper bound stays within the limit; None where even the least is too
            much.
        reached: Whether the limit is reached at all, as far as was looked; else `most` is as far as that.
        current: Load, cost and upper bound of the row that was asked.
        outside: Features of `most` outside what the version was trained on.
        observed: The largest load it was trained on.
        curve: From the least load to somewhat beyond.
    """

    most: float | None
    reached: bool
    current: tuple[float, float, float]
    outside: tuple[str, ...]
    observed: float
    curve: CurvePoints

    def replicas(self, load: float) -> int | None:
        """How many of such a service share a load so that each stays within the limit; None where none can."""
        return None if not self.most or self.most <= 0 else max(1, math.ceil(load / self.most - 1e-9))


def find_headroom(
    workload: Workload,
    predict: Callable[[Rows], Bounds],
    row: Rows,
    following: Following,
    *,
    limit: float,
    ranges: dict[str, tuple[float, float]],
) -> Headroom:
    """Look along the load.

    Args:
        workload: Whose cost has the limit.
        predict: From float32 [rows, features] to cost and bounds, of the coverage that the confidence asks for.
        row: The present load and all else, float32 [features].
        following: What is varied and what follows.
        limit: For the upper bound, in the cost's unit.
        ranges: For each feature the least and greatest value the version was trained on.

    Raises:
        InvalidInput: The limit can't be one.
    """
    cost, at = workload.cost, workload.feature_names.index(following.load)
    if not math.isfinite(limit) or limit <= cost.minimum or limit >= cost.maximum:
        raise InvalidInput.of("limit", f"must lie between {cost.minimum:g} and {cost.maximum:g}, got {limit:g}")
    feature, present = workload.features[at], float(row[at])
    observed = ranges.get(following.load, (0.0, present))[1]
    reach = REACH if following.load in ranges else UNKNOWN_REACH
    least = max(feature.minimum, 0.0) if feature.minimum <= 0 else feature.minimum
    far = min(feature.maximum, max(reach * observed, present, least + 1.0))

    def upper(loads: Rows) -> Rows:
        return predict(following.rows(workload, row, loads)).upper

    loads = _between(least, far, STEPS, whole=feature.whole)
    most, reached = _last_within(loads, upper(loads), limit)
    for _ in range(ROUNDS):
        if most is not None and reached:
            step = loads[np.searchsorted(loads, most) + 1]
            loads = _between(most, float(step), FINER, whole=feature.whole)
            most, _ = _last_within(loads, upper(loads), limit)
    here = predict(row[None])
    return Headroom(
        most=most,
        reached=reached,
        current=(present, float(here.cost[0]), float(here.upper[0])),
        outside=() if most is None else _outside(workload, following.rows(workload, row, np.array([most]))[0], ranges),
        observed=observed,
        curve=_curve(workload, predict, row, following, _between(least, _end(most, present, observed, far), 61)),
    )


def one_load(workload: Workload) -> str:
    """The load that a workload declares: its first feature whose cost rises with it.

    Raises:
        Refused: It declares none.
    """
    for feature in workload.features:
        if feature.declaration.trend == "increasing":
            return feature.name
    raise Refused(f"workload '{workload.name}' declares no feature whose cost rises with it; name one in `vary`")


def _between(low: float, high: float, count: int, *, whole: bool = False) -> Rows:
    values = np.linspace(low, high, count)
    return np.unique(np.rint(values) if whole else values).astype(np.float32)


def _last_within(loads: Rows, upper: Rows, limit: float) -> tuple[float | None, bool]:
    """The last load before the first whose bound is beyond the limit, and whether there is such a one."""
    beyond = np.flatnonzero(~(upper <= limit))
    if not len(beyond):
        return float(loads[-1]), False
    return (float(loads[beyond[0] - 1]) if beyond[0] else None), True


def _outside(workload: Workload, row: Rows, ranges: dict[str, tuple[float, float]]) -> tuple[str, ...]:
    found = []
    for name, value in zip(workload.feature_names, row.tolist(), strict=True):
        low, high = ranges.get(name, (-math.inf, math.inf))
        if not low - 1e-6 * abs(low) <= value <= high + 1e-6 * abs(high):
            found.append(name)
    return tuple(found)


def _end(most: float | None, present: float, observed: float, far: float) -> float:
    return min(far, 1.15 * max(most or 0.0, present, observed if most is None else 0.0))


def _curve(
    workload: Workload, predict: Callable[[Rows], Bounds], row: Rows, following: Following, loads: Rows
) -> CurvePoints:
    found = predict(following.rows(workload, row, loads))
    return CurvePoints(loads.tolist(), *(side.tolist() for side in found))
