"""Many rows at once: columns of one workload's features, checked and laid out for its model."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.errors import FieldError, InvalidInput
from perfcast.tables._moments import Times, read_moments
from perfcast.tables._values import ValueReader, note_rounding
from perfcast.workloads import (
    EXACT,
    TIMESTAMP,
    ArrayArithmetic,
    Feature,
    Refusal,
    Rows,
    Workload,
    check_table,
    clock_columns,
    evaluate,
    exact,
    inexact,
    merged,
    missing_feature,
    rules_hold,
    unknown_feature,
)

Column: TypeAlias = Any
"""Values of one feature, [rows]: NumPy numbers with NaN or objects with None where one is missing, or Arrow's array."""

_BLOCK = 16_384
"""Rows that are handled together: 64 KB a column, so that a block of all columns stays in the processor's cache."""
_SHOWN = 5
TIME = "measured_at"
"""What the time of measured rows is called."""
TIMES = (TIME, TIMESTAMP, "time", "datetime", "date")
"""What a column of it may be called; the first of these that is there is taken."""


class Taken(NamedTuple):
    """What became of rows."""

    rows: Rows  # float32 [rows, features], NaN where a required value can't be had
    refusals: list[Refusal]  # all that is wrong, by row counted from 0
    notes: Counter[str]  # what was assumed, and of how many rows


class ColumnReader:
    """Turns columns into rows for the model, or says what is wrong with which rows.

    `read` refuses all where a row is wrong, `take` says which rows are. Absent columns and missing values of features
    that have a default take it; `timestamp` (in `zone`) may stand for the clock features, in any form of a moment.
    """

    def __init__(self, workload: Workload, zone: tzinfo) -> None:
        self.workload = workload
        self._zone = zone
        self._names = workload.feature_names
        self._clocks = [feature.name for feature in workload.features if feature.declaration.clock]
        self._timed = bool(self._clocks) and TIMESTAMP not in self._names
        self._minimum = np.array([feature.minimum for feature in workload.features], dtype=np.float32)
        self._maximum = np.array([feature.maximum for feature in workload.features], dtype=np.float32)
        self._whole = [position for position, feature in enumerate(workload.features) if feature.whole]

    def read(self, columns: Mapping[str, Column], *, decimal: str = ".", notes: Counter[str] | None = None) -> Rows:
        """Read whole columns, by feature name and of one length: float32 [rows, features], in declared order.

        The cost's column, which files of measured rows have too, is left out; the time's, found as imports find it, is
        `timestamp`, or left out where nothing is computed from it. `notes` are told what was assumed.

        Raises:
            InvalidInput: Names every field that is wrong, in how many rows, and the first of these (counted from 0).
        """
        _check_lengths(columns)
        columns = self._with_timestamp(columns)
        self._check_names(columns)
        times = (
            read_moments(TIMESTAMP, columns[TIMESTAMP], self._zone) if self._timed and TIMESTAMP in columns else None
        )
        if notes is not None and times:
            notes += times.notes
        rows, unread, clean = self._rows(columns, times, decimal, notes)
        if not clean:
            self._refuse(rows, unread, self._defaulted(columns, times))
        return rows

    def take(
        self, columns: Mapping[str, Column], times: Times | None, cost: Column | None = None, *, decimal: str = "."
    ) -> tuple[Taken, Rows | None]:
        """Read what can be read, and the costs, float32 [rows], where given.

        Args:
            columns: By feature name, all of one length; others may be absent.
            times: When the rows were measured, from which clock features without a column are computed.
            cost: The measured costs.
            decimal: What stands before decimals in texts.
        """
        notes = Counter(times.notes if times else {})
        rows, unread, _ = self._rows(columns, times, decimal, notes)
        costs = None
        if cost is not None:
            name, unit = self.workload.cost.name, self.workload.cost.unit
            reader = ValueReader(name, unit, None, decimal, notes)
            numbers = reader.read(cost, unread)
            note_rounding(name, numbers, notes)
            with np.errstate(over="ignore"):
                costs = numbers.astype(np.float32)
        refusals = self._refusals(rows, unread, costs, self._defaulted(columns, times))
        return Taken(rows, refusals, notes), costs

    def _rows(
        self, columns: Mapping[str, Column], times: Times | None, decimal: str, notes: Counter[str] | None
    ) -> tuple[Rows, list[Refusal], bool]:
        """Rows, what could not be read, and whether nothing is wrong; `notes` are told what was assumed."""
        count = max([len(column) for column in columns.values()] + ([len(times.moments)] if times else []), default=0)
        unread: list[Refusal] = [times.refusal] if times and times.refusal else []
        sources = self._sources(columns, times, decimal, unread, notes)
        rows = np.empty((count, len(self._names)), dtype=np.float32)
        clean = not unread
        for begin in range(0, count, _BLOCK):
            block = self._block(sources, begin, min(begin + _BLOCK, count))
            clean = clean and self._clean(block)
            rows[begin : begin + _BLOCK] = block.T
        return rows, unread, clean

    def check(self, rows: Rows) -> None:
        """Check float32 [rows, features], laid out in declared order, every value given.

        Raises:
            InvalidInput: As `read`.
        """
        blocks = (np.ascontiguousarray(rows[begin : begin + _BLOCK].T) for begin in range(0, len(rows), _BLOCK))
        if not all(self._clean(block) for block in blocks):
            self._refuse(rows, [], frozenset())

    def keeps_rules(self, rows: Rows) -> bool:
        """Whether every row, float32 [rows, features] of values that are each allowed by itself, keeps all rules."""
        return not self.workload.rules or self._keeps_rules(np.ascontiguousarray(rows.T))

    def fill(self, rows: npt.NDArray[np.floating]) -> None:
        """Replace what is missing, NaN in float [rows, features], by the defaults, in place."""
        columns = rows.T
        for position in np.flatnonzero(np.isnan(rows).any(axis=0)).tolist():
            _fill(self.workload.features[position], position, columns, self._names)

    def _with_timestamp(self, columns: Mapping[str, Column]) -> Mapping[str, Column]:
        found = times_among(name for name in columns if name not in (*self._names, self.workload.cost.name))
        others = {name: column for name, column in columns.items() if name not in found}
        return {**others, TIMESTAMP: columns[found[0]]} if found and self._timed else others

    def _check_names(self, columns: Mapping[str, Column]) -> None:
        known = {*self._names, self.workload.cost.name, *([TIMESTAMP] if self._timed else [])}
        errors = [unknown_feature(name, self.workload) for name in columns if name not in known]
        given = {*columns, *self._clocks} if self._timed and TIMESTAMP in columns else {*columns}
        needed = (feature for feature in self.workload.features if feature.required)
        errors += [missing_feature(feature) for feature in needed if feature.name not in given]
        if errors:
            raise InvalidInput(errors)

    def _sources(
        self,
        columns: Mapping[str, Column],
        times: Times | None,
        decimal: str,
        unread: list[Refusal],
        notes: Counter[str] | None,
    ) -> list[Column | None]:
        """Each feature's numbers, None where only its default is known."""
        wanted = [name for name in self._clocks if _incomplete(columns.get(name))] if times else []
        timed = clock_columns(times.moments, wanted, self._zone) if times and wanted else {}
        sources: list[Column | None] = []
        for feature in self.workload.features:
            column = columns.get(feature.name)
            source = None if column is None else self._numbers(feature, column, decimal, unread, notes)
            given = timed.get(feature.name)
            sources.append(given if source is None else source if given is None else _first_of(source, given))
        return sources

    def _numbers(
        self, feature: Feature, column: Column, decimal: str, unread: list[Refusal], notes: Counter[str] | None
    ) -> npt.NDArray[Any]:
        said: Counter[str] = Counter() if notes is None else notes
        numbers = ValueReader(feature.name, feature.declaration.unit, feature, decimal, said).read(column, unread)
        if notes is not None and not feature.whole:
            note_rounding(feature.name, numbers, notes)
        if feature.whole and max(-feature.minimum, feature.maximum) > EXACT:
            wrong = np.flatnonzero(~exact(feature, numbers))
            if len(wrong):
                own = partial(_inexact, numbers)
                unread.append(Refusal(feature.name, own(wrong[0]), wrong, own))
        return numbers

    def _block(self, sources: Sequence[Column | None], begin: int, end: int) -> Rows:
        block = np.empty((len(sources), end - begin), dtype=np.float32)
        for position, (feature, source) in enumerate(zip(self.workload.features, sources, strict=True)):
            with np.errstate(over="ignore"):  # what float32 can't hold is infinite, and out of bounds
                block[position] = math.nan if source is None else source[begin:end]
            may_miss = source is None or source.dtype.kind == "f"
            if may_miss and feature.default is not None:
                _fill(feature, position, block, self._names)
        return block

    def _clean(self, block: Rows) -> bool:
        """Whether nothing is wrong with a block, float32 [features, rows]; a NaN fails every comparison."""
        if not block.shape[1]:
            return True
        bounded = (block.min(axis=1) >= self._minimum).all() and (block.max(axis=1) <= self._maximum).all()
        whole = bounded and all((np.floor(block[position]) == block[position]).all() for position in self._whole)
        return bool(whole) and self._keeps_rules(block)

    def _keeps_rules(self, block: Rows) -> bool:
        return all(bool(holds.all()) for holds in rules_hold(self.workload, block))

    def _defaulted(self, columns: Mapping[str, Column], times: Times | None) -> frozenset[str]:
        """The features that no column gives."""
        return frozenset(self._names) - {*columns, *(self._clocks if times else ())}

    def _refusals(
        self, rows: Rows, unread: list[Refusal], cost: Rows | None, defaulted: frozenset[str]
    ) -> list[Refusal]:
        """All that is wrong, each once: neither what could not be read as missing, nor defaults that follow from it."""
        untimed = [refusal for refusal in unread if refusal.field in (TIME, TIMESTAMP)]
        told = [*unread, *(replace(refusal, field=name) for refusal in untimed for name in self._clocks)]
        found = [*unread, *(refusal.without(told) for refusal in check_table(self.workload, rows, cost))]
        given = [refusal.rows for refusal in found if refusal.field not in defaulted]
        wrong = np.concatenate(given) if given else np.zeros(0, dtype=np.int64)
        others = (
            replace(refusal, rows=np.setdiff1d(refusal.rows, wrong)) if refusal.field in defaulted else refusal
            for refusal in found
        )
        return [refusal for refusal in others if len(refusal.rows)]

    def _refuse(self, rows: Rows, unread: list[Refusal], defaulted: frozenset[str]) -> None:
        refusals = self._refusals(rows, unread, None, defaulted)
        raise InvalidInput([_told(refusal) for refusal in merged(refusals)])


def times_among(columns: Iterable[str]) -> list[str]:
    """Those that are called as the time's column may be, in the order of `TIMES`."""
    order = {plain_name(known): place for place, known in enumerate(TIMES)}
    return sorted((name for name in columns if plain_name(name) in order), key=lambda name: order[plain_name(name)])


def plain_name(name: str) -> str:
    """Its letters and digits, which alone tell a column's name from another."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _fill(feature: Feature, position: int, columns: npt.NDArray[np.floating], names: Sequence[str]) -> None:
    """Put the feature's default where its column, one of float [features, rows], has NaN."""
    column = columns[position]
    missing = np.isnan(column)
    if feature.default is not None and missing.any():
        earlier = {name: columns[at].astype(np.float32, copy=False) for at, name in enumerate(names[:position])}
        default = evaluate(feature.default, earlier, ArrayArithmetic())
        np.copyto(column, default, where=missing)


def _check_lengths(columns: Mapping[str, Column]) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    longest = max(lengths.values(), default=0)
    short = [FieldError(name, f"has {n:,} values, others {longest:,}") for name, n in lengths.items() if n < longest]
    if short:
        raise InvalidInput(short)


def _inexact(numbers: npt.NDArray[Any], row: int) -> str:
    return inexact(numbers[row])


def _incomplete(column: Column | None) -> bool:
    if not isinstance(column, np.ndarray):
        return column is None or column.null_count > 0
    return column.dtype.kind == "O" or (column.dtype.kind == "f" and bool(np.isnan(column).any()))


def _first_of(given: Column, other: Column) -> Column:
    if given.dtype.kind != "f":
        return given
    chosen: Column = np.where(np.isnan(given), other, given)
    return chosen


def _told(refusal: Refusal) -> FieldError:
    rows = refusal.rows
    shown = ", ".join(map(str, rows[:_SHOWN].tolist()))
    where = f"row {shown}" if len(rows) == 1 else f"{len(rows):,} rows: {shown}{', …' if len(rows) > _SHOWN else ''}"
    return FieldError(refusal.field, f"{refusal.message} ({where}, counted from 0)")
