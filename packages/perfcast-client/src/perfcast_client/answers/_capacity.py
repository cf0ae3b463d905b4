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
        observed_max: The largest load it was trained on.
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
    observed_max: float
    following: dict[str, str]
    replicas: int | None
    curve: HeadroomCurve
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
