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
STEPS, FINER, ROUNDS, CURVE = 121, 33, 2, 61
"""Loads asked first; then, between the last that is well and the first that isn't, so many, so often; points of
the curve."""


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
        row: The scenario at `most`, float32 [features]; None where there is none.
        observed: The largest load it was trained on; None where nobody knows.
        curve: From the least load to somewhat beyond.
    """

    most: float | None
    reached: bool
    current: tuple[float, float, float]
    row: Rows | None
    observed: float | None
    curve: CurvePoints

    def replicas(self, load: float) -> int | None:
        """How many of such a service share a load so that each stays within the limit; None where none can."""
        share = load / self.most if self.most and self.most > 0 else math.inf
        return max(1, math.ceil(share - 1e-9)) if math.isfinite(share) else None


def find_headroom(
    workload: Workload,
    predict: Callable[[Rows], Bounds],
    row: Rows,
    following: Following,
    *,
    limit: float,
    observed: float | None,
) -> Headroom:
    """Look along the load: from the present one on if that is well, else from the least.

    Args:
        workload: Whose cost has the limit.
        predict: From float32 [rows, features] to cost and bounds, of the coverage that the confidence asks for.
        row: The present load and all else, float32 [features].
        following: What is varied and what follows.
        limit: For the upper bound, in the cost's unit.
        observed: The largest load the version was trained on; None where nobody knows.

    Raises:
        InvalidInput: The limit can't be one.
    """
    cost, at = workload.cost, workload.feature_names.index(following.load)
    if not cost.minimum < limit < cost.maximum:
        raise InvalidInput.of("limit", f"must lie between {cost.minimum:g} and {cost.maximum:g}, got {limit:g}")
    feature, present = workload.features[at], float(row[at])
    least, reach = max(feature.minimum, 0.0), UNKNOWN_REACH * present if observed is None else REACH * observed
    far = min(feature.maximum, max(reach, present, least + 1.0))
    here = predict(row[None])

    def upper(loads: Rows) -> Rows:
        return predict(following.rows(workload, row, loads)).upper

    well = float(here.upper[0]) <= limit
    loads = _between(present if well else least, far if well else present, STEPS, whole=feature.whole)
    most, beyond = _last_within(loads, upper(loads), limit)
    if well and most is None:
        most = present
    for _ in range(ROUNDS):
        if most is None or beyond is None:
            break
        between = _between(most, beyond, FINER, whole=feature.whole)[1:-1]
        if len(between):
            last, first = _last_within(between, upper(between), limit)
            most, beyond = (most if last is None else last), (beyond if first is None else first)
    return Headroom(
        most=most,
        reached=beyond is not None,
        current=(present, float(here.cost[0]), float(here.upper[0])),
        row=None if most is None else following.rows(workload, row, np.array([most], np.float32))[0],
        observed=observed,
        curve=_curve(
            workload, predict, row, following, _shown(most, present, observed, least, far, whole=feature.whole)
        ),
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
    """Loads from one to another, both among them, rising, float32."""
    values = np.linspace(low, high, count)
    return np.unique((np.rint(values) if whole else values).astype(np.float32))


def _last_within(loads: Rows, upper: Rows, limit: float) -> tuple[float | None, float | None]:
    """The last load before the first whose bound is beyond the limit, and that one; None where there is no such."""
    beyond = np.flatnonzero(~(upper <= limit))
    if not len(beyond):
        return float(loads[-1]), None
    return (float(loads[beyond[0] - 1]) if beyond[0] else None), float(loads[beyond[0]])


def _shown(
    most: float | None, present: float, observed: float | None, least: float, far: float, *, whole: bool
) -> Rows:
    """Loads for the curve."""
    end = 1.15 * max(most or 0.0, present, (observed or 0.0) if most is None else 0.0)
    return _between(least, min(far, max(end, least)), CURVE, whole=whole)


def _curve(
    workload: Workload, predict: Callable[[Rows], Bounds], row: Rows, following: Following, loads: Rows
) -> CurvePoints:
    found = predict(following.rows(workload, row, loads))
    return CurvePoints(loads.tolist(), *(side.tolist() for side in found))
