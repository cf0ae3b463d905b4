"""How much load a service takes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct


class HeadroomNow(Struct, frozen=True):
    """The scenario as it is."""

    load: float
    prediction: float
    upper: float


class HeadroomCurve(Struct, frozen=True):
    """What is predicted along the load; each has a value a point."""

    load: Sequence[float]
    cost: Sequence[float]
    lower: Sequence[float]
    upper: Sequence[float]


class HeadroomAnswer(Struct, frozen=True):
    """The largest load that a limit allows.

    Attributes:
        cost: The cost's name.
        vary: The load that was varied.
        max_load: Up to this load the upper bound stays within the limit; None where even the least is too much.
        limit_reached: False where no load reaches the limit as far as was looked: three times what was seen.
        headroom_percent: By how much the present load may rise.
        extrapolated: Features outside what the version was trained on, at that load.
        observed_max: The largest load it was trained on; None for uploads that don't say.
        following: How other features move with the load.
        replicas: That share the load that was asked; None without one, or where none can.
        words: The answer as a sentence.
    """

    model_name: str
    model_version: int
    model_type: str
    cost: str
    unit: str
    vary: str
    limit: float
    confidence: float
    max_load: float | None
    limit_reached: bool
    current: HeadroomNow
    headroom_percent: float | None
    extrapolated: list[str]
    observed_max: float | None
    following: dict[str, str]
    replicas: int | None
    curve: HeadroomCurve
    words: str
    timestamp: datetime


class RunwayBand(Struct, frozen=True):
    """Between when; None is beyond the horizon."""

    earliest: datetime | None
    latest: datetime | None


class DayProbability(Struct, frozen=True):
    """How likely the bound has passed the limit by a day's end."""

    date: str
    probability: float


class RunwayLevels(Struct, frozen=True):
    """Of all courses: one in twenty is below the lower, and above the upper."""

    lower: float
    middle: float
    upper: float


class DayPeaks(Struct, frozen=True):
    """A day's greatest hour."""

    date: str
    load: RunwayLevels
    bound: RunwayLevels


class HourReplicas(Struct, frozen=True):
    """What an hour needs: a load that only one course in twenty is above, and how many share it within the limit."""

    at: datetime
    load: float
    replicas: int | None


class RunwayHistory(Struct, frozen=True):
    """What the forecast comes from and `until` when; `growth_given` says whether the growth was stated."""

    dataset: str
    rows: int
    days: float
    until: datetime
    weekly: bool
    growth_percent_per_month: float | None
    growth_lower: float | None
    growth_upper: float | None
    growth_given: bool


class RunwayAnswer(Struct, frozen=True):
    """When the upper bound of the cost first passes the limit.

    Attributes:
        first_exceeded_at: When half of the courses have passed the limit; None where that is beyond the horizon.
        probability: That it is passed within the horizon.
        replicas_by_hour: Of the first seven days.
        words: The answer as a sentence.
    """

    model_name: str
    model_version: int
    model_type: str
    cost: str
    unit: str
    vary: str
    limit: float
    confidence: float
    horizon_days: float
    first_exceeded_at: datetime | None
    band: RunwayBand
    probability: float
    probability_by_day: list[DayProbability]
    peaks_by_day: list[DayPeaks]
    replicas_by_hour: list[HourReplicas]
    history: RunwayHistory
    words: str
    timestamp: datetime


class AutoscaleAnswer(Struct, frozen=True):
    """The upper bound of the cost at a load: `value`.

    Attributes:
        observed_at: When the load was measured.
        source: Where it comes from: `query`, or a dataset.
        features: The load.
    """

    value: float
    prediction: float
    confidence: float
    model_name: str
    model_version: int
    cost: str
    unit: str
    observed_at: datetime
    source: str
    features: dict[str, Any]
    timestamp: datetime
