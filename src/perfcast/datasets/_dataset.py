"""A dataset: measured rows of one workload from one source, immutable, known by its content."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, time, tzinfo
from functools import cached_property
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np

from perfcast.datasets._split import (
    Part,
    Split,
    configuration_numbers,
    far_in_time,
    split_by_configuration,
    split_by_time,
)
from perfcast.errors import InvalidData
from perfcast.tables import Moments
from perfcast.workloads import Rows, Workload, check_table

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_name(name: str) -> str:
    """The name, if a dataset can have it: it becomes part of its model's name.

    Raises:
        InvalidData: It can't.
    """
    if not _NAME.fullmatch(name):
        raise InvalidData(
            f"a dataset can't be called '{name}': at most 100 letters, digits, '.', '_' and '-', "
            "the first of them a letter or digit"
        )
    return name


@dataclass(frozen=True)
class Dataset:
    """Measured rows of one workload from one source.

    Attributes:
        name: Of the source, such as `cpu-torch`; newer data of the same source has the same name.
        workload: What the rows are measurements of.
        features: float32 [rows, features], in the workload's declared order.
        cost: float32 [rows], in the cost's unit.
        measured_at: datetime64[us] [rows] in UTC, or None where the rows have no time.
        provenance: Where the rows come from: source, device, licence and the like, as plain data.

    Raises:
        InvalidData: The name can't be used, a row breaks the workload's declaration, or there are none.
    """

    name: str
    workload: Workload
    features: Rows
    cost: Rows
    measured_at: Moments | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name(self.name)
        if not len(self.cost):
            raise InvalidData(f"dataset '{self.name}' has no rows")
        for refusal in check_table(self.workload, self.features, self.cost):
            raise InvalidData(
                f"dataset '{self.name}': {refusal.field} {refusal.message} (row {refusal.rows[0] + 1} "
                f"and {len(refusal.rows) - 1} more)"
            )

    def __len__(self) -> int:
        return len(self.cost)

    @cached_property
    def digest(self) -> str:
        """sha256 over declaration, features, costs and times: the same rows of the same workload have the same."""
        content = sha256(msgspec.json.encode(self.workload.declaration))
        content.update(np.ascontiguousarray(self.features, dtype="<f4").data.cast("B"))
        content.update(np.ascontiguousarray(self.cost, dtype="<f4").data)
        if self.measured_at is not None:
            content.update(self.measured_at.astype("datetime64[us]").astype("<i8").data)
        return content.hexdigest()

    @cached_property
    def configurations(self) -> int:
        """How many distinct feature rows there are."""
        return int(configuration_numbers(self.features).max()) + 1

    @property
    def rows(self) -> Part:
        return Part(self.features, self.cost, self.measured_at)

    def split(self) -> Split:
        """Train, calibrate and test: by time where the rows have one, else by configuration (rule R4).

        Raises:
            InvalidData: There are too few rows.
        """
        if self.measured_at is not None and self.workload.declaration.series:
            return split_by_time(self.rows)
        return split_by_configuration(self.rows, self.workload.identifying)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of the rows, a sentence each."""
        return tuple(filter(None, (self._of_repeats(), self._of_times())))

    def _of_repeats(self) -> str:
        if self.measured_at is not None or self.workload.declaration.repeats == "lookup":
            return ""
        times = len(self) / self.configurations
        if times < 1.01:
            return ""
        return (
            f"{self.configurations:,} configurations, measured {times:.3g} times each on average: every measurement is "
            "kept, and those of one configuration stay together in training or in judging"
        )

    def _of_times(self) -> str:
        if self.measured_at is None or not (far := far_in_time(self.measured_at)).any():
            return ""
        first = np.datetime_as_string(self.measured_at[far][0], unit="s")
        return f"{far.sum():,} rows are far from all others in time, such as {first}Z: is that clock right?"


def without_repeats(dataset: Dataset, zone: tzinfo = UTC) -> tuple[Dataset, int]:
    """The dataset without rows that say again what another said, and how many those were.

    With a time of day, in `zone`, that is a row equal to another in all values: one observation that was exported
    twice. Without one, or where some configuration has two different costs at one time, so that times don't tell
    measurements apart, every row is a measurement of its own, unless the workload says that its rows are a lookup
    table's.
    """
    measurements = dataset.workload.declaration.repeats == "measurement"
    if measurements and _only_days(dataset.measured_at, zone):
        return dataset, 0
    doubtful = np.arange(len(dataset))
    moments = None if dataset.measured_at is None else dataset.measured_at.astype("datetime64[us]").astype(np.int64)
    if moments is not None:  # only rows of one moment can be equal, and few share theirs
        ordered = np.sort(moments)
        shared = ordered[1:][ordered[1:] == ordered[:-1]]
        doubtful = np.flatnonzero(np.isin(moments, shared)) if len(shared) else doubtful[:0]
    times = [] if moments is None else [moments[doubtful, None]]
    columns = [dataset.features[doubtful], *times, dataset.cost[doubtful, None]]
    table = np.concatenate([np.ascontiguousarray(column).view(np.uint32) for column in columns], axis=1)
    distinct, first = np.unique(
        table, axis=0, return_index=True
    )  # sorted, so that only neighbours differ in cost alone
    coarse = measurements and (distinct[1:, :-1] == distinct[:-1, :-1]).all(axis=1).any()
    repeats = np.delete(doubtful, first)
    if coarse or not len(repeats):
        return dataset, 0
    kept = dataset.rows.take(np.delete(np.arange(len(dataset)), repeats))
    fresh = Dataset(dataset.name, dataset.workload, kept.features, kept.cost, kept.measured_at, dataset.provenance)
    return fresh, len(dataset) - len(fresh)


def _only_days(moments: Moments | None, zone: tzinfo) -> bool:
    """Whether no time tells measurements of one day apart: there are none, or all are a midnight."""
    if moments is None:
        return True
    if (moments.astype("datetime64[s]").astype(np.int64) % 900).any():  # no zone is ahead by other than quarter hours
        return False
    times = np.unique(moments.astype("datetime64[us]"))
    return all(moment.item().replace(tzinfo=UTC).astimezone(zone).time() == time.min for moment in times)


def newest_moment(moments: Moments | None) -> str | None:
    """The last of some moments: ISO 8601, UTC; None where there are none."""
    return None if moments is None else moment_text(moments.max())


def moment_texts(moments: Moments) -> list[str]:
    """Moments as answers show them: ISO 8601, UTC."""
    return [f"{text}Z" for text in np.datetime_as_string(moments, unit="us").tolist()]


def moment_text(moment: np.datetime64) -> str:
    """One of them."""
    return f"{np.datetime_as_string(moment, unit='us')}Z"
