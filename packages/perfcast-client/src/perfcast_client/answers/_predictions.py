"""Predictions, batches of them, and what they turned out to be."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct


class Prediction(Struct, frozen=True):
    """The cost of one set of features.

    Attributes:
        cost: In the unit that its name says, such as `execution_time_ms`, or percent for `cpu_utilization`.
        cost_name: What the server calls it.
        lower, upper: Hold the true cost in `coverage` of the cases; None where the version is uncalibrated.
        extrapolated: Names of the features outside what the version was trained on.
        prediction_id: For `feedback`.
    """

    cost: float
    cost_name: str
    model_name: str
    model_type: str
    model_version: int
    prediction_id: str
    prediction_timestamp: datetime
    status: str
    lower: float | None
    upper: float | None
    coverage: float
    extrapolated: list[str]


class Contribution(Struct, frozen=True):
    """What a feature adds.

    Attributes:
        feature: Its name; `timestamp` for all that a clock decides.
        value: As it was asked; None for what a clock decides.
        contribution: In the cost's unit.
        factor: By how much it multiplies the cost; None where errors aren't relative.
    """

    feature: str
    value: Any
    contribution: float
    factor: float | None


class Explanation(Struct, frozen=True):
    """Why a prediction is what it is.

    Attributes:
        prediction: `base_value` and all contributions together, or `typical_value` times all factors.
        cost: The cost's name, such as `execution_time_ms`.
        base_value: Mean cost of usual rows.
        typical_value: Their geometric mean; None where errors aren't relative.
        contributions: Shapley values, the largest first.
        ways: Ways from a usual row to the one asked, whose mean they are.
        background_rows: Usual rows that are kept with the version.
    """

    model_name: str
    model_version: int
    model_type: str
    cost: str
    unit: str
    prediction: float
    base_value: float
    typical_value: float | None
    contributions: list[Contribution]
    ways: int
    background_rows: int
    timestamp: datetime


_KNOWN = frozenset(Prediction.__struct_fields__) - {"cost", "cost_name"}


def read_prediction(body: bytes) -> Prediction:
    """A prediction from its JSON, where the cost stands under its own name, before anything else that is unknown."""
    document: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
    name = cost_name(document)
    return msgspec.convert({**document, "cost": document[name], "cost_name": name}, Prediction)


def cost_name(document: Mapping[str, Any]) -> str:
    """The first name of an answer that is none of the contract's own."""
    name = next((name for name in document if name not in _KNOWN), None)
    if name is None:
        raise ValueError("no cost is in the answer")
    return name


class Batch(Struct, frozen=True):
    """The costs of many rows, by one version; each column has a value a row.

    Attributes:
        cost: In the unit that `cost_name` says.
        lower, upper: None where the version is uncalibrated.
        extrapolated: For each row the names of features outside what the version was trained on.
    """

    cost_name: str
    model_name: str
    model_version: int
    model_type: str
    coverage: float
    cost: Sequence[float]
    lower: Sequence[float | None]
    upper: Sequence[float | None]
    extrapolated: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return len(self.cost)

    @property
    def columns(self) -> dict[str, Sequence[Any]]:
        """The columns by name, as `pandas.DataFrame`, `polars.DataFrame` and `pyarrow.table` take them."""
        bounds = {"lower": self.lower, "upper": self.upper}
        return {self.cost_name: self.cost, **bounds, "extrapolated": self.extrapolated}


class Result(Struct, frozen=True):
    """What became of one actual: `accepted`, `repeated` (told before, counts once) or `refused`."""

    status: str
    prediction_id: str | None = None
    error: str | None = None


class FeedbackTaken(Struct, frozen=True):
    """What became of the actuals, in the order in which they were told."""

    results: list[Result]
    accepted: int
    repeated: int
    refused: int
    timestamp: datetime
