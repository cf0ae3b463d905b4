"""Workloads, datasets, and the rows that judged a version."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

Value = bool | int | float | str


class Cost(Struct, frozen=True):
    """What is predicted; where `relative`, errors are judged in percent of it."""

    name: str
    unit: str
    minimum: float | None
    maximum: float | None
    relative: bool
    meaning: str


class FeatureEntry(Struct, frozen=True):
    """One stated input.

    Attributes:
        type: `integer`, `number`, `flag` (0 or 1) or `choice`.
        minimum, maximum: None where it has no bound.
        default: A value, or arithmetic over the features before it, as text.
        values: Of a choice.
        trend: `increasing` where the cost never falls with it, `decreasing` where it never rises.
        clock: Whether a `timestamp` may stand for it.
    """

    name: str
    type: str
    unit: str
    minimum: float | None
    maximum: float | None
    required: bool
    default: Value | None
    values: list[Value]
    trend: str | None
    clock: bool
    meaning: str


class DerivedEntry(Struct, frozen=True):
    """A further model input, computed from features."""

    name: str
    expression: str
    trend: str | None
    meaning: str


class RuleEntry(Struct, frozen=True):
    """What must hold between features."""

    check: str
    field: str
    message: str


class PresetEntry(Struct, frozen=True):
    """A row with a name, ready for `predict`; presets that belong together have the same group.

    Features that aren't `stated` follow from the others by their defaults.
    """

    name: str
    title: str
    group: str
    features: dict[str, Value]
    stated: list[str]


class AnsweringModel(Struct, frozen=True):
    """A model that predicts a workload; `differences` of its declaration from the one that its champion reads by."""

    name: str
    champion: int | None
    differences: list[str]


class WorkloadEntry(Struct, frozen=True):
    """A workload at a glance."""

    title: str
    description: str
    declared: str
    cost: Cost
    series: bool
    features: list[str]
    presets: int
    default_model: str | None
    models: list[str]


class UnusableWorkload(Struct, frozen=True):
    """A file, folder or package that declares no workload that can be used."""

    place: str
    reason: str


class WorkloadList(Struct, frozen=True):
    """All workloads, by name."""

    workloads: dict[str, WorkloadEntry]
    total_workloads: int
    not_loaded: list[UnusableWorkload]
    timestamp: datetime


class WorkloadDetails(Struct, frozen=True):
    """A workload as it is declared, its models and presets.

    Attributes:
        series: Whether rows are observations of one thing over time.
        wrapper: Name of the object that may hold the features in `/predict`.
        takes_timestamp: Whether `timestamp` may stand for the clock features.
        features: In declared order.
    """

    name: str
    title: str
    description: str
    declared: str
    cost: Cost
    series: bool
    wrapper: str | None
    takes_timestamp: bool
    features: list[FeatureEntry]
    derived: list[DerivedEntry]
    rules: list[RuleEntry]
    presets: list[PresetEntry]
    default_model: str | None
    models: list[AnsweringModel]
    timestamp: datetime


class DatasetEntry(Struct, frozen=True):
    """A dataset at a glance; `problem` says why its rows can't be read."""

    name: str
    workload: str
    digest: str
    rows: int
    created_at: datetime
    source: str
    newest: bool
    measured_from: datetime | None
    measured_until: datetime | None
    problem: str | None = None


class DatasetList(Struct, frozen=True):
    """Datasets, newest first."""

    datasets: list[DatasetEntry]
    total: int
    limit: int
    offset: int
    timestamp: datetime


class ColumnValues(Struct, frozen=True):
    """How the values of a column lie: quantiles of a number by share of the rows, or shares of a choice's values."""

    name: str
    unit: str
    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    quantiles: dict[str, float] | None = None
    shares: dict[str, float] | None = None


class DatasetDetails(Struct, frozen=True):
    """A dataset, where it comes from and what its columns hold: each feature in declared order, then the cost."""

    name: str
    workload: str
    digest: str
    rows: int
    created_at: datetime
    source: str
    newest: bool
    measured_from: datetime | None
    measured_until: datetime | None
    provenance: dict[str, Any]
    cost: str
    columns: list[ColumnValues]
    timestamp: datetime


class DatasetRows(Struct, frozen=True):
    """Some rows of a dataset, in columns.

    Attributes:
        rows: How many the dataset has; `shown` of them are here.
        cost: Which column is the cost.
        columns: Each feature and the cost.
        measured_at: When each row was measured; None where rows have no time.
    """

    name: str
    workload: str
    digest: str
    rows: int
    shown: int
    cost: str
    columns: Mapping[str, Sequence[Any]]
    measured_at: Sequence[datetime] | None
    timestamp: datetime


class JudgedRows(Struct, frozen=True):
    """Held-out rows of a version with its predictions, in columns.

    Attributes:
        dataset: `NAME@DIGEST`.
        held_out_rows: How many rows judged it; `shown` of them are here.
        coverage: Of the intervals, as they were calibrated; None where it has none.
    """

    model_name: str
    model_version: int
    label: str | None
    type: str
    workload: str
    dataset: str
    cost: str
    unit: str
    held_out_rows: int
    shown: int
    coverage: float | None
    actual: Sequence[float]
    predicted: Sequence[float]
    lower: Sequence[float] | None
    upper: Sequence[float] | None
    features: Mapping[str, Sequence[Any]]
    measured_at: Sequence[datetime] | None
    timestamp: datetime
