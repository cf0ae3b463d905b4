"""Whether one arm is truly better than another, by a test that may be looked at at any time.

Each hour in which both were judged gives one number: the mean error of the one less that of the other. Their mean has a
confidence sequence, an interval that holds the true mean at all times at once with 95 %. So looking every minute and
stopping at the first success finds a difference where there is none in at most 5 % of all comparisons, not of all
looks. It is the asymptotic one with a Gaussian mixture of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (Time-uniform
central limit theory and asymptotic confidence sequences, Annals of Statistics 52(6), 2024, section 2). Its variance
here also counts how alike neighbouring hours are (Newey and West, Econometrica 55(3), 1987).

Both arms' errors of an hour share its load, and a shadow's also the very rows, so what made the hour hard cancels out.
Single errors, or means of five minutes, would not do: with neighbours as alike as minutes of CPU are (0.6 from one to
the next), means of five minutes raise a false alarm in 10 to 20 % of comparisons, whole hours in 4 %
(`tests/unit/monitoring/test_comparison.py` repeats the latter).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import log, sqrt
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from perfcast.monitoring._accuracy import Arm, read_accuracy
from perfcast.registry import CHAMPION
from perfcast.storage import schema, time_text

CONFIDENCE = 0.95
LEAST_HOURS = 24
"""Fewer don't tell how much hours differ; and days have a shape."""
_BEST_AFTER = 100
"""Hours after which the interval is narrowest, compared with any other that may be looked at at all times."""
_LAGS = 3
"""Hours whose likeness to their neighbours is counted."""


class Comparison(msgspec.Struct, frozen=True):
    """An arm held against the champion.

    Attributes:
        measure: `mae`, in the cost's unit, or `mape`, in percent of the true cost, where the workload's costs are
            judged relatively.
        hours: Finished hours in which both were judged.
        difference: The arm's mean error less the champion's, hour by hour: negative where the arm is better.
        lower, upper: Bounds of the true difference that hold at all times at once; None before `LEAST_HOURS`.
        confidence: With which they do.
        significant: Whether the bounds leave no doubt who is better.
        better: The arm that is; None while that is open.
    """

    measure: str
    hours: int
    difference: float | None
    lower: float | None
    upper: float | None
    confidence: float
    significant: bool
    better: str | None


def compare_arms(
    connection: sa.Connection, arm: Arm, champion: Arm, *, relative: bool, now: datetime | None = None
) -> Comparison:
    """Hold an arm of a model against its champion, as far as both were judged.

    Args:
        connection: Where live accuracy is.
        arm: The challenger or the shadow.
        champion: Of the same model.
        relative: Whether errors count in percent of the true cost.
        now: The present time; the hour that it lies in isn't finished.
    """
    this_hour = time_text(now or datetime.now(UTC))[:13]
    theirs, champions = (_hourly(connection, one, this_hour, relative=relative) for one in (arm, champion))
    hours = sorted(theirs.keys() & champions.keys())
    differences = np.array([theirs[hour] - champions[hour] for hour in hours])
    bounds = mean_bounds(differences)
    significant = bounds is not None and not bounds[0] <= 0 <= bounds[1]
    better = (arm.arm if bounds[1] < 0 else champion.arm) if bounds is not None and significant else None
    lower, upper = bounds or (None, None)
    mean = float(differences.mean()) if hours else None
    measure = "mape" if relative else "mae"
    return Comparison(measure, len(hours), mean, lower, upper, CONFIDENCE, significant, better)


def live_arms(
    connection: sa.Connection, model: str, aliases: Mapping[str, int], *, relative: bool | None
) -> dict[str, dict[str, Any]]:
    """By alias, the live accuracy of the version that it points to, and how that compares with the champion's.

    Args:
        connection: Where live accuracy is.
        model: Whose arms they are.
        aliases: Version by alias.
        relative: As of `compare_arms`; None where that can't be told, and nothing is compared.

    Returns:
        As `GET /models/{name}/traffic` shows it: `live` by window, and `against_champion`.
    """
    arms = {alias: Arm(model, number, alias) for alias, number in aliases.items()}
    champion = arms.get(CHAMPION)
    told: dict[str, dict[str, Any]] = {}
    for alias, arm in arms.items():
        found = read_accuracy(connection, model, arm.version)
        told[alias] = {"live": msgspec.to_builtins(found.get(arm, {}))}
        if champion is not None and arm != champion and relative is not None:
            compared = compare_arms(connection, arm, champion, relative=relative)
            told[alias]["against_champion"] = msgspec.to_builtins(compared)
    return told


def mean_bounds(values: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    """Bounds of the true mean of a sequence that goes on, which may be looked at at any time.

    Args:
        values: float64 [n], those that there are by now, in order.

    Returns:
        None while they are too few.
    """
    count = len(values)
    if count < LEAST_HOURS:
        return None
    width = sqrt(_long_run_variance(values)) * _boundary(count, 1 - CONFIDENCE)
    mean = float(values.mean())
    return mean - width, mean + width


def _boundary(count: int, alpha: float) -> float:
    """Half the width in standard deviations after so many values, narrowest around `_BEST_AFTER` of them."""
    mixing = (-2 * log(alpha) + log(-2 * log(alpha)) + 1) / _BEST_AFTER  # ρ²
    spread = count * mixing + 1
    return sqrt(2 * spread / (count**2 * mixing) * log(sqrt(spread) / alpha))


def _long_run_variance(values: npt.NDArray[np.float64]) -> float:
    """The variance of one value, raised by what neighbours have in common."""
    centred = values - values.mean()
    own = float(np.square(centred).mean())
    shared = [float(centred[lag:] @ centred[:-lag]) / len(values) for lag in range(1, _LAGS + 1)]
    together = own + 2 * sum((1 - lag / (_LAGS + 1)) * one for lag, one in enumerate(shared, 1))
    return max(own, together)


def _hourly(connection: sa.Connection, arm: Arm, before: str, *, relative: bool) -> dict[str, float]:
    """Mean error by hour."""
    live = schema.live_accuracy.c
    hour = sa.func.substr(live.at, 1, 13).label("hour")
    error, count = (live.percent, live.percents) if relative else (live.absolute, live.actuals)
    query = sa.select(hour, sa.func.sum(error), sa.func.sum(count)).where(
        live.model == arm.model, live.version == arm.version, live.arm == arm.arm, live.at < before, count > 0
    )
    return {at: float(total) / float(rows) for at, total, rows in connection.execute(query.group_by(hour))}
