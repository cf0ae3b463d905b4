"""When the upper bound of the cost first passes a limit, if the load goes on as it did."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, tzinfo

import numpy as np
import numpy.typing as npt

from perfcast.capacity._following import Following
from perfcast.capacity._forecast import DAY, LEAST_DAYS, WEEK, Doubles, Forecast, Numbers, forecast, kinds, local_hours
from perfcast.capacity._headroom import Bounds
from perfcast.errors import InvalidInput, Refused
from perfcast.workloads import Rows, Workload, clock_columns

GRID, FAR_GRID = 49, 24
"""Loads at which each hour of the week is asked: up to `KNOWN` times the largest that was seen, and beyond, where they
are ever farther apart. Between them the bound is a line."""
KNOWN = 2.0
LONGEST, TIMES_HISTORY = 366.0, 4.0
"""Days ahead, and times the history where its growth is to be gone on with."""
PLANNED_DAYS = 7
"""So many days get a number of replicas for each hour."""
LEVELS = (0.05, 0.5, 0.95)
"""Shares of the courses at which something is said to happen: early, probably, late."""
_MONDAY = 4 * DAY
"""Hours from 1970-01-01, a Thursday, to a Monday."""


@dataclass(frozen=True)
class Runway:
    """What comes of a forecast.

    Attributes:
        forecast: Courses of the load.
        first: For each of `LEVELS` the first hour, since 1970, by which so many of the courses have passed the limit;
            None where that doesn't happen within the horizon.
        days: Days since 1970 of the horizon by the zone's clock, int64 [days]; without one that only begins in it.
        passed: For each the share of courses that have passed the limit by its end, float64 [days].
        peak_load, peak_bound: Greatest load and bound of each day, at each of `LEVELS`, float64 [levels, days].
        allowed: The largest load that each hour of the first days allows, float64 [hours]; NaN where none.
        replicas: How many such services share nearly every course's load then; None where none can.
    """

    forecast: Forecast
    first: tuple[int | None, ...]
    days: Numbers
    passed: Doubles
    peak_load: Doubles
    peak_bound: Doubles
    allowed: Doubles
    replicas: tuple[int | None, ...]


def find_runway(
    workload: Workload,
    predict: Callable[[Rows], Bounds],
    features: Rows,
    moments: npt.NDArray[np.datetime64],
    following: Following,
    *,
    limit: float,
    days: float,
    zone: tzinfo,
    growth_percent_per_month: float | None = None,
    days_off: Collection[str] = (),
) -> Runway:
    """Forecast the load and push it through a model.

    Args:
        workload: Whose cost has the limit.
        predict: From float32 [rows, features] to cost and bounds.
        features: The history, float32 [rows, features].
        moments: When its rows were measured, UTC [rows].
        following: Which feature is the load, and what moves with it.
        limit: For the upper bound, in the cost's unit.
        days: How far to look ahead.
        zone: Whose clock the load and the clock features follow.
        growth_percent_per_month: Of the load, instead of the estimated growth.
        days_off: Further days (ISO 8601) that are like a weekend's.

    Raises:
        InvalidInput: The horizon or the limit can't be one.
        Refused: The history can't be gone on with; says why.
    """
    if not 0 < days <= LONGEST:
        raise InvalidInput.of("horizon_days", f"must be above 0 and at most {LONGEST:g}, got {days:g}")
    if not workload.cost.minimum < limit < workload.cost.maximum:
        told = f"must lie between {workload.cost.minimum:g} and {workload.cost.maximum:g}, got {limit:g}"
        raise InvalidInput.of("limit", told)
    load = features[:, workload.feature_names.index(following.load)]
    span = float(np.ptp(moments.astype("datetime64[s]").astype(np.int64)) / 86400) if len(moments) else 0.0
    if growth_percent_per_month is None and span >= LEAST_DAYS and days > TIMES_HISTORY * span:
        raise Refused(
            f"{span:.0f} days of history tell the growth for {TIMES_HISTORY * span:.0f} days ahead at most; ask for "
            "fewer, or state the growth"
        )
    found = forecast(
        moments, load, days=days, zone=zone, growth_percent_per_month=growth_percent_per_month, days_off=days_off
    )
    table = _Table.asked(workload, predict, features, following, found, zone)
    bounds = table.bounds(found)
    day = local_hours(found.hours, zone)[0]
    each, beginnings, counts = np.unique(day, return_index=True, return_counts=True)
    whole = len(each) - (len(each) > 1 and counts[-1] < DAY)  # a day that only begins would look like a quiet one
    ends = np.append(beginnings[1:], len(day))[:whole]
    each, beginnings, end = each[:whole], beginnings[:whole], int(ends[-1])
    ever = np.maximum.accumulate(bounds > limit, axis=1)
    share = ever.mean(axis=0)
    planned = found.hours < found.hours[0] + PLANNED_DAYS * DAY
    allowed = table.allowed(limit)[table.places(found.hours[planned])]
    likely = np.quantile(found.courses[:, planned], LEVELS[-1], axis=0)
    return Runway(
        forecast=found,
        first=tuple(_first(share, found.hours, level) for level in LEVELS),
        days=each,
        passed=share[ends - 1],
        peak_load=_peaks(found.courses[:, :end], beginnings),
        peak_bound=_peaks(bounds[:, :end], beginnings),
        allowed=allowed,
        replicas=tuple(_replicas(*pair) for pair in zip(likely.tolist(), allowed.tolist(), strict=True)),
    )


def _usual(workload: Workload, features: Rows) -> Rows:
    """The median of each feature, float32 [features]; of choices and flags what is there most."""
    usual = np.median(features, axis=0)
    for at, feature in enumerate(workload.features):
        if feature.declaration.values or feature.declaration.type == "flag":
            values, counts = np.unique(features[:, at], return_counts=True)
            usual[at] = values[counts.argmax()]
        elif feature.whole:
            usual[at] = np.rint(usual[at])
    return np.asarray(usual, dtype=np.float32)


def _first(share: Doubles, hours: Numbers, level: float) -> int | None:
    reached = np.flatnonzero(share >= level)
    return int(hours[reached[0]]) if len(reached) else None


def _peaks(values: Doubles, beginnings: Numbers) -> Doubles:
    return np.asarray(np.quantile(np.maximum.reduceat(values, beginnings, axis=1), LEVELS, axis=0))


def _replicas(load: float, allowed: float) -> int | None:
    return max(1, int(np.ceil(load / allowed - 1e-9))) if allowed > 0 else None


def _grid(seen: float, most: float) -> Doubles:
    """Loads to ask at, rising."""
    edge = KNOWN * seen
    near = np.linspace(0.0, min(edge, 1.001 * most), GRID)
    return near if most <= edge else np.concatenate([near, np.geomspace(edge, 1.001 * most, FAR_GRID + 1)[1:]])


@dataclass(frozen=True)
class _Table:
    """The bound at each hour of the week, by a zone's clock, and each load: float64 [168, loads]."""

    zone: tzinfo
    loads: Doubles
    upper: Doubles

    @staticmethod
    def asked(
        workload: Workload,
        predict: Callable[[Rows], Bounds],
        features: Rows,
        following: Following,
        found: Forecast,
        zone: tzinfo,
    ) -> "_Table":
        loads = _grid(float(found.history.load.max()), float(found.courses.max()))
        along = following.rows(workload, _usual(workload, features), loads.astype(np.float32))
        rows = np.tile(along, (WEEK, 1))
        clocks = [feature.name for feature in workload.features if feature.declaration.clock]
        if clocks:
            week = np.arange(_MONDAY, _MONDAY + WEEK)
            moments = (week * 3600 + 1800).astype("datetime64[s]")  # as that clock shows them
            columns = clock_columns(np.repeat(moments, len(loads)), clocks, UTC)
            for name, column in columns.items():
                rows[:, workload.feature_names.index(name)] = column
        return _Table(zone, loads, predict(rows).upper.astype(np.float64).reshape(WEEK, len(loads)))

    def places(self, hours: Numbers) -> Numbers:
        """Which hour of the week each hour since 1970 is."""
        day, hour = local_hours(hours, self.zone)
        return np.asarray(kinds(day, ()) * DAY + hour)

    def bounds(self, found: Forecast) -> Doubles:
        """The upper bound along each course, float64 [courses, hours]."""
        bounds = np.empty_like(found.courses)
        places = self.places(found.hours)
        for place in np.unique(places):
            at = places == place
            bounds[:, at] = np.interp(found.courses[:, at], self.loads, self.upper[place])
        return bounds

    def allowed(self, limit: float) -> Doubles:
        """The largest load of each hour of the week up to which the bound stays within a limit; NaN where none is."""
        beyond = self.upper > limit
        first = np.where(beyond.any(axis=1), beyond.argmax(axis=1), len(self.loads))
        found = np.full(len(first), np.nan)
        for place, at in enumerate(first.tolist()):
            if at == len(self.loads):
                found[place] = self.loads[-1]
            elif at > 0:
                low, high = self.upper[place, at - 1], self.upper[place, at]
                share = (limit - low) / (high - low)
                found[place] = self.loads[at - 1] + share * (self.loads[at] - self.loads[at - 1])
        return found
