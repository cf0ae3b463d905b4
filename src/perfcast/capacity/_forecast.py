"""Where a load is going: its days, its weeks and its growth, as many courses that it may take.

The logarithm of the hours' mean load is a level, a growth, and what the hour, the hour of a workday or a day off, and
the hour of the week add. All is fitted at once, the more particular a term the more it is held to nothing (ridge
regression, Hoerl and Kennard 1970), so that two weeks suffice and more weeks tell more. How sure that is, is told by
fitting days drawn with replacement. What is left over is a level that goes on from day to day (an autoregression of the
first order) and, around it, whole days of the past (the block bootstrap, Künsch 1989).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.errors import Refused
from perfcast.workloads import offsets

Doubles: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = npt.NDArray[np.int64]
Moments: TypeAlias = npt.NDArray[np.datetime64]

LEAST_DAYS, WEEKLY_DAYS = 7, 14
"""Days that are needed; from so many on workdays and days off, and growth, are told apart."""
LEAST_HOURS = 0.6
"""Share of the hours between the first row and the last that must have rows."""
LEAST_MEDIAN = 1e-9
COURSES, FITS = 300, 60
"""Courses that are drawn, and fits to days drawn with replacement, each of which makes some of them."""
LONGEST_DAYS = 182
"""Only so many of the newest days are learnt from: what was before says little, and would take long."""
FOLDS = 5
"""Parts that days are held out in; no divisor of a week, so that no weekday is missing."""
MOST_STAYS = 0.98
"""Share of a day's level that is left the next day, at most: what never came back would soon be anywhere."""
HOLD = {"hour": 0.1, "kind": 0.3, "week": 3.0}
"""How strongly each group of terms is held to nothing, in hours of observation."""
SATURDAY, DAY, WEEK = 5, 24, 168
_MONDAY = 3
"""Days from a Monday to 1970-01-01."""


@dataclass(frozen=True)
class History:
    """What the past was like.

    Attributes:
        hours: Hours since 1970 that have rows, rising, int64 [hours].
        load: Mean load of each, float64 [hours].
        days: From the first to the last.
        weekly: Whether the week's days are told apart.
        growth_percent_per_month: As estimated; None where the history is too short to tell.
        growth_bounds: Nine in ten courses grow by between these.
    """

    hours: Numbers
    load: Doubles
    days: float
    weekly: bool
    growth_percent_per_month: float | None
    growth_bounds: tuple[float, float] | None


@dataclass(frozen=True)
class Forecast:
    """Courses of the load.

    Attributes:
        hours: Hours since 1970, int64 [hours].
        courses: Mean load of each hour, float64 [courses, hours].
        history: What they come from.
    """

    hours: Numbers
    courses: Doubles
    history: History

    @property
    def middle(self) -> Doubles:
        """The median course, float64 [hours]."""
        return np.asarray(np.median(self.courses, axis=0))


def forecast(
    moments: Moments,
    load: npt.NDArray[np.floating[Any]],
    *,
    days: float,
    zone: tzinfo,
    growth_percent_per_month: float | None = None,
    days_off: Collection[str] = (),
    courses: int = COURSES,
    seed: int = 0,
) -> Forecast:
    """Forecast a load.

    Args:
        moments: When each row was measured, UTC, datetime64 [rows].
        load: Of each row, [rows].
        days: How far ahead.
        zone: Whose hours and days shape the load.
        growth_percent_per_month: Instead of the estimated one.
        days_off: Further days (ISO 8601) that are like a weekend's.
        courses: How many.
        seed: Of what is drawn.

    Raises:
        Refused: The history is too short, has too many gaps, or is no load; says what is missing.
    """
    if not len(moments):
        raise Refused("there are no rows to go on with")
    hours, means = _hourly(moments, load)
    newest = hours > hours[-1] - LONGEST_DAYS * DAY
    hours, means = hours[newest], means[newest]
    span = (int(hours[-1]) - int(hours[0]) + 1) / DAY
    _require(hours, means, span)
    scale = float(np.median(means[means > 0]))
    target = np.log(means / scale + 0.01)
    future = np.arange(int(hours[-1]) + 1, int(hours[-1]) + 1 + max(1, round(days * DAY)))
    weekly, given = span >= WEEKLY_DAYS, growth_percent_per_month
    known, ahead = (_terms(part, hours, zone, days_off, weekly=weekly) for part in (hours, future))
    if given is not None:  # from where the past's own growth has led to
        ahead[:, 1] = known[-1, 1]
    fitted = _fit(known, target, np.ones(len(target)))
    day_of = _days_back(hours)
    left, whole_days = _Left.of(_unseen(known, target, day_of), hours), np.unique(day_of)
    random, slopes, paths = np.random.default_rng(seed), list[float](), np.empty((courses, len(future)))
    for course in range(courses):
        if course % max(1, courses // FITS) == 0:
            some_days = random.choice(whole_days, len(whole_days))
            drawn = np.bincount(some_days, minlength=int(whole_days[-1]) + 1)[day_of]
            some = _fit(known, target, drawn.astype(np.float64))
            slopes.append(float(some[1]))
        paths[course] = ahead @ some + left.course(len(future), random)
    if given is not None:
        paths += np.log1p(given / 100) / (30 * DAY) * (future - hours[-1])
    told = weekly and given is None
    growth = [100 * float(np.expm1(slope * 30)) for slope in ([float(fitted[1]), *slopes] if told else [])]
    history = History(
        hours,
        means,
        span,
        weekly,
        growth[0] if growth else given,
        (float(np.quantile(growth[1:], 0.05)), float(np.quantile(growth[1:], 0.95))) if growth else None,
    )
    return Forecast(future, np.maximum(np.exp(np.minimum(paths, 50.0)) - 0.01, 0.0) * scale, history)


def local_hours(hours: Numbers, zone: tzinfo) -> tuple[Numbers, Numbers]:
    """The day since 1970 and the hour of the day that a zone's clock shows, of hours since 1970 in UTC."""
    seconds = hours * 3600 + 1800  # in its middle, so that half an hour's offset decides nothing
    local = (seconds + offsets(seconds, zone, utc=True)[:, 0]) // 3600
    return local // DAY, local % DAY


def kinds(days: Numbers, days_off: Collection[str]) -> Numbers:
    """The weekday of days since 1970, Monday 0; a day off is a Sunday."""
    off = np.array(sorted(days_off), dtype="datetime64[D]").astype(np.int64)
    return np.asarray(np.where(np.isin(days, off), 6, (days + _MONDAY) % 7))


def _hourly(moments: Moments, load: npt.NDArray[np.floating[Any]]) -> tuple[Numbers, Doubles]:
    at = moments.astype("datetime64[s]").astype(np.int64) // 3600
    hours, place, counts = np.unique(at, return_inverse=True, return_counts=True)
    return hours, np.bincount(place, load.astype(np.float64)) / counts


def _require(hours: Numbers, means: Doubles, span: float) -> None:
    if span < LEAST_DAYS:
        raise Refused(
            f"the history spans {span:.1f} days; a forecast needs {LEAST_DAYS}, and {WEEKLY_DAYS} to tell growth"
        )
    if len(hours) < LEAST_HOURS * span * DAY:
        raise Refused(
            f"only {len(hours):,} of the {round(span * DAY):,} hours of the history have rows; collect without gaps"
        )
    if means.min() < 0:
        raise Refused(f"the load is {means.min():g} in some hour of the history; a load is not below 0")
    if np.median(means) <= LEAST_MEDIAN:
        raise Refused("the load is 0 in most hours of the history; there is no course to go on with")
    if float(np.ptp(means)) <= 1e-9 * float(means.max()):
        raise Refused("the load never changes in the history; that is no service's load")


def _terms(hours: Numbers, past: Numbers, zone: tzinfo, days_off: Collection[str], *, weekly: bool) -> Doubles:
    """Level, growth a day from the middle of the past on, and shares of each group, float64 [hours, terms]."""
    day, hour = local_hours(hours, zone)
    weekday = kinds(day, days_off)
    since = (hours - past.mean()) / DAY if weekly else np.zeros(len(hours))
    groups = [np.ones((len(hours), 1)), since[:, None], _one_of(hour, DAY) / HOLD["hour"] ** 0.5]
    if weekly:
        off = weekday >= SATURDAY
        groups.append(_one_of(hour + DAY * off, 2 * DAY) / HOLD["kind"] ** 0.5)
        groups.append(_one_of(hour + DAY * weekday, WEEK) / HOLD["week"] ** 0.5)
    return np.hstack(groups)


def _one_of(which: Numbers, count: int) -> Doubles:
    return np.asarray(which[:, None] == np.arange(count), dtype=np.float64)


def _fit(terms: Doubles, target: Doubles, weights: Doubles) -> Doubles:
    """Ridge; level and growth aren't held."""
    held = np.ones(terms.shape[1])
    held[:2] = 1e-6
    weighted = terms * weights[:, None]
    return np.asarray(np.linalg.solve(weighted.T @ terms + np.diag(held), weighted.T @ target), dtype=np.float64)


def _days_back(hours: Numbers) -> Numbers:
    """Which day each hour is in, counted so that the last one ends with the last hour, as the first to come begins."""
    days = -(-(int(hours[-1]) - int(hours[0]) + 1) // DAY)
    return np.asarray((hours - (int(hours[-1]) + 1 - days * DAY)) // DAY)


def _unseen(terms: Doubles, target: Doubles, day_of: Numbers) -> Doubles:
    """What a fit to other days leaves over of each: of days that were learnt it would be less than of those to come."""
    rest = np.empty(len(target))
    for fold in range(FOLDS):
        held = day_of % FOLDS == fold
        if held.any():
            rest[held] = target[held] - terms[held] @ _fit(terms, target, (~held).astype(np.float64))
    return rest


@dataclass(frozen=True)
class _Left:
    """What terms leave over.

    Attributes:
        around: Each day's hours around the day's level, float64 [days, 24]; 0 where one is missing.
        steps: From what is expected of a day's level to what it was, float64 [days - 1].
        stays: Share of a level that is left a day later.
        level: The last day's.
    """

    around: Doubles
    steps: Doubles
    stays: float
    level: float

    @staticmethod
    def of(rest: Doubles, hours: Numbers) -> "_Left":
        day = _days_back(hours)
        counts = np.bincount(day)
        levels = np.bincount(day, rest) / np.maximum(counts, 1)
        around = np.zeros((len(counts), DAY))
        around[day, (hours - int(hours[-1]) - 1) % DAY] = rest - levels[day]
        both = (counts[:-1] > 0) & (counts[1:] > 0)
        before, after = levels[:-1][both], levels[1:][both]
        stays = float(np.clip(float(before @ after) / max(float(before @ before), 1e-12), 0.0, MOST_STAYS))
        return _Left(around[counts > 0], after - stays * before, stays, float(levels[-1]))

    def course(self, hours: int, random: np.random.Generator) -> Doubles:
        """One course from the hour after the last on, float64 [hours]."""
        days = -(-hours // DAY)
        levels, level = np.empty(days), self.level
        for day, step in enumerate(random.choice(self.steps, days)):
            level = self.stays * level + step
            levels[day] = level
        around = self.around[random.integers(len(self.around), size=days)]
        return np.asarray((around + levels[:, None]).reshape(-1)[:hours])
