"""Many rows at once: columns of one workload's features, checked and laid out for its model."""

import math
from collections.abc import Hashable, Mapping, Sequence
from datetime import tzinfo
from difflib import get_close_matches
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.errors import FieldError, InvalidInput
from perfcast.serving._moments import clock_columns
from perfcast.workloads import TIMESTAMP, ArrayArithmetic, Feature, Refusal, Rows, Workload, check_table, evaluate

Column: TypeAlias = npt.NDArray[Any]
"""Values of one feature, [rows]: numbers with NaN where one is missing, or objects with None where one is missing."""

_BLOCK = 16_384
"""Rows that are handled together: 64 KB a column, so that a block of all columns stays in the processor's cache."""
_SHOWN = 5


class ColumnReader:
    """Turns columns into rows for the model, or says what is wrong with which rows.

    Absent columns and missing values of features that have a default take it; `timestamp` may stand for the clock
    features, as times, ISO 8601 text or seconds since 1970.

    Args:
        workload: Whose features to read.
        zone: Time zone in which a `timestamp` becomes time features.
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

    def read(self, columns: Mapping[str, Column]) -> Rows:
        """Read whole columns.

        Args:
            columns: By feature name, all of one length.

        Returns:
            float32 [rows, features], in declared order.

        Raises:
            InvalidInput: Names every field that is wrong, in how many rows, and the first of these (counted from 0).
        """
        self._check_names(columns)
        count = _length(columns)
        unread: list[Refusal] = []
        sources = self._sources(columns, unread)
        rows = np.empty((count, len(self._names)), dtype=np.float32)
        clean = not unread
        for begin in range(0, count, _BLOCK):
            block = self._block(sources, begin, min(begin + _BLOCK, count))
            clean = clean and self._clean(block)
            rows[begin : begin + _BLOCK] = block.T
        if not clean:
            self._refuse(rows, unread)
        return rows

    def check(self, rows: Rows) -> None:
        """Check rows that are laid out already.

        Args:
            rows: float32 [rows, features], in declared order; every value is given.

        Raises:
            InvalidInput: As `read`.
        """
        blocks = (np.ascontiguousarray(rows[begin : begin + _BLOCK].T) for begin in range(0, len(rows), _BLOCK))
        if not all(self._clean(block) for block in blocks):
            self._refuse(rows, [])

    def keeps_rules(self, rows: Rows) -> bool:
        """Whether every row, float32 [rows, features] of values that are each allowed by itself, keeps all rules."""
        return not self.workload.rules or self._keeps_rules(np.ascontiguousarray(rows.T))

    def fill(self, rows: npt.NDArray[np.floating]) -> None:
        """Replace what is missing by the defaults, in place.

        Args:
            rows: float [rows, features], NaN where a value is missing.
        """
        columns = rows.T
        for position in np.flatnonzero(np.isnan(rows).any(axis=0)).tolist():
            _fill(self.workload.features[position], position, columns, self._names)

    def _check_names(self, columns: Mapping[str, Column]) -> None:
        errors = [FieldError(name, self._unknown(name)) for name in columns if not self._known(name)]
        given_by_time = self._clocks if self._timed and TIMESTAMP in columns else []
        for feature in self.workload.features:
            if feature.required and feature.name not in columns and feature.name not in given_by_time:
                hint = f" (or give '{TIMESTAMP}')" if feature.name in self._clocks else ""
                errors.append(FieldError(feature.name, f"is required{hint}"))
        if errors:
            raise InvalidInput(errors)

    def _known(self, name: str) -> bool:
        return name in self._names or (self._timed and name == TIMESTAMP)

    def _unknown(self, name: str) -> str:
        close = get_close_matches(name, self._names, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        return f"is not a feature of {self.workload.name}{hint}"

    def _sources(self, columns: Mapping[str, Column], unread: list[Refusal]) -> list[Column | None]:
        """Each feature's numbers, None where only its default is known."""
        timed: Mapping[str, Column] = {}
        if self._timed and TIMESTAMP in columns:
            wanted = [name for name in self._clocks if _incomplete(columns.get(name))]
            timed, wrong = clock_columns(columns[TIMESTAMP], wanted, self._zone)
            unread += [wrong] if wrong else []
        sources: list[Column | None] = []
        for feature in self.workload.features:
            column = columns.get(feature.name)
            source = None if column is None else self._numbers(feature, column, unread)
            given = timed.get(feature.name)
            sources.append(given if source is None else source if given is None else _first_of(source, given))
        return sources

    def _numbers(self, feature: Feature, column: Column, unread: list[Refusal]) -> Column:
        if feature.declaration.values:
            return _encoded(self.workload, feature, column, unread)
        if column.dtype.kind in "fiub":
            return column
        return _encoded(self.workload, feature, column, unread)

    def _block(self, sources: Sequence[Column | None], begin: int, end: int) -> Rows:
        """float32 [features, rows]."""
        block = np.empty((len(sources), end - begin), dtype=np.float32)
        for position, (feature, source) in enumerate(zip(self.workload.features, sources, strict=True)):
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
        values = dict(zip(self._names, block, strict=True))
        return all(bool(_holds(rule.comparison, values).all()) for rule in self.workload.rules)

    def _refuse(self, rows: Rows, unread: list[Refusal]) -> None:
        seen = {refusal.field: refusal.rows for refusal in unread}
        if TIMESTAMP in seen:
            seen |= {name: seen[TIMESTAMP] for name in self._clocks if name not in seen}
        errors = [_told(refusal.field, refusal.message, refusal.rows) for refusal in unread]
        for refusal in check_table(self.workload, rows):
            left = np.setdiff1d(refusal.rows, seen.get(refusal.field, np.array([], dtype=np.int64)))
            if len(left):
                errors.append(_told(refusal.field, refusal.message, left))
        raise InvalidInput(errors)


def _holds(comparison: Any, values: Mapping[str, Rows]) -> npt.NDArray[np.bool_]:
    relations = {
        "<=": np.less_equal,
        ">=": np.greater_equal,
        "<": np.less,
        ">": np.greater,
        "==": np.equal,
        "!=": np.not_equal,
    }
    left = evaluate(comparison.left, values, ArrayArithmetic())
    right = evaluate(comparison.right, values, ArrayArithmetic())
    holds: npt.NDArray[np.bool_] = relations[comparison.relation](left, right)
    return holds


def _fill(feature: Feature, position: int, columns: npt.NDArray[np.floating], names: Sequence[str]) -> None:
    """Put the feature's default where its column, one of float [features, rows], has NaN."""
    column = columns[position]
    missing = np.isnan(column)
    if feature.default is not None and missing.any():
        earlier = {name: columns[at].astype(np.float32, copy=False) for at, name in enumerate(names[:position])}
        default = evaluate(feature.default, earlier, ArrayArithmetic())
        np.copyto(column, default, where=missing)


def _length(columns: Mapping[str, Column]) -> int:
    """The number of rows.

    Raises:
        InvalidInput: The columns differ in length.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    longest = max(lengths.values(), default=0)
    short = [FieldError(name, f"has {n:,} values, others {longest:,}") for name, n in lengths.items() if n < longest]
    if short:
        raise InvalidInput(short)
    return longest


def _incomplete(column: Column | None) -> bool:
    return column is None or column.dtype.kind == "O" or (column.dtype.kind == "f" and bool(np.isnan(column).any()))


def _first_of(given: Column, other: Column) -> Column:
    if given.dtype.kind != "f":
        return given
    chosen: Column = np.where(np.isnan(given), other, given)
    return chosen


def _encoded(workload: Workload, feature: Feature, column: Column, unread: list[Refusal]) -> Column:
    """Choices and whatever else isn't an array of numbers, value by value; what can't be read is NaN and told."""
    known: dict[tuple[type, Any], float] = {}
    numbers = np.full(len(column), math.nan)
    wrong: list[int] = []
    told = ""
    for row, value in enumerate(column.tolist()):
        if value is None or (isinstance(value, float) and math.isnan(value)):
            continue
        key = (type(value), value if isinstance(value, Hashable) else repr(value))
        number = known.get(key)
        if number is None:
            try:
                number = known[key] = workload.encode(feature, value)
            except ValueError as error:
                wrong.append(row)
                told = told or str(error)
                continue
        numbers[row] = number
    if wrong:
        unread.append(Refusal(feature.name, told, np.array(wrong, dtype=np.int64)))
    return numbers


def _told(field: str, message: str, rows: npt.NDArray[np.int64]) -> FieldError:
    """The field, what is wrong with it, and where."""
    shown = ", ".join(map(str, rows[:_SHOWN].tolist()))
    where = f"row {shown}" if len(rows) == 1 else f"{len(rows):,} rows: {shown}{', …' if len(rows) > _SHOWN else ''}"
    return FieldError(field, f"{message} ({where})")
