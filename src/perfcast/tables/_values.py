"""One column of values as numbers: what its feature says that they mean decides, never what they look like."""

import math
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from perfcast.workloads import EXACT, Feature, Refusal

Numbers = npt.NDArray[Any]


class ValueReader(NamedTuple):
    """Reads the columns of one feature, or of the cost."""

    name: str  # what it is called in refusals
    unit: str  # durations are converted to it, and `45%` is 45 percent
    feature: Feature | None  # none for the cost, which is a number
    decimal: str  # what stands before decimals in texts
    notes: Counter[str]  # is told what was assumed
    arithmetic: bool = False  # whether the column stands in arithmetic: 45% is 45, 450m 0.45

    def read(self, column: Any, unread: list[Refusal]) -> Numbers:
        """The numbers, [rows], NaN where there is none; what is there but can't be read is added to `unread`."""
        choice = self.feature is not None and bool(self.feature.declaration.values)
        if not isinstance(column, np.ndarray):
            numbers = self._read_arrow(column, unread, choice=choice)
        elif column.dtype.kind in "fiub" and not choice:
            numbers = column
        else:
            numbers = self._encoded(column.tolist() if column.dtype.kind == "O" else _single(column), unread)
        return numbers

    def _read_arrow(self, column: Any, unread: list[Refusal], *, choice: bool) -> Numbers:
        import pyarrow as pa

        from perfcast.tables._arrow import decoded, is_number, is_text, parse_numbers, plain, spans

        column = decoded(column)
        if choice and pa.types.is_decimal(column.type):
            column = column.cast(pa.float64())
        if choice and (is_text(column.type) or is_number(column.type)):
            return self._distinct(column, unread)
        if is_number(column.type) or pa.types.is_null(column.type):
            return plain(column)
        if is_text(column.type):
            percent = self.arithmetic or self.unit.strip().lower() in ("percent", "%")
            numbers, wrong = parse_numbers(
                column, self.decimal, self.name, self.notes, percent=percent, milli=self.arithmetic
            )
            if wrong.any():
                places = np.flatnonzero(wrong)
                numbers = numbers.copy()
                numbers[places] = self._distinct(column.take(pa.array(places)), unread, places)
            return numbers
        converted = spans(column, self.unit) if pa.types.is_duration(column.type) else None
        if converted is None:
            unread.append(Refusal(self.name, self._misplaced(column.type), np.arange(len(column))))
            return np.full(len(column), math.nan)
        if self.arithmetic:
            self.notes[f"{self.name}: durations were read in seconds"] += len(column) - column.null_count
        return converted

    def _misplaced(self, kind: Any) -> str:
        import pyarrow as pa

        if pa.types.is_duration(kind):
            unit = f"its unit is '{self.unit}'" if self.unit else "its unit isn't said"
            return f"holds {kind}, but {unit}; give numbers"
        return f"holds {kind}, where numbers are expected"

    def _distinct(self, column: Any, unread: list[Refusal], places: npt.NDArray[np.int64] | None = None) -> Numbers:
        """Each distinct value once."""
        import pyarrow as pa

        kinds = column.dictionary_encode()
        values = kinds.dictionary
        listed = (
            _single(values.to_numpy(zero_copy_only=False)) if pa.types.is_float32(values.type) else values.to_pylist()
        )
        wrong: list[Refusal] = []
        codes = self._encoded(listed, wrong)
        taken = kinds.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
        for bad in wrong:
            at = np.flatnonzero(np.isin(taken, bad.rows))
            rows = at if places is None else places[at]
            told = {row: bad.of(code) for row, code in zip(rows.tolist(), taken[at].tolist(), strict=True)}
            unread.append(Refusal(self.name, bad.message, rows, told.__getitem__))
        numbers: Numbers = np.append(codes, math.nan)[taken]
        return numbers

    def _encoded(self, values: Sequence[Any], unread: list[Refusal]) -> Numbers:
        """Value by value, each distinct one once; what can't be read is NaN and told."""
        known: dict[tuple[type, Any], float | str] = {}
        numbers = np.full(len(values), math.nan)
        wrong: dict[str, dict[int, str]] = {}
        for row, value in enumerate(values):
            key = (type(value), value if isinstance(value, Hashable) else repr(value))
            number = known.get(key)
            if number is None:
                number = known[key] = self._encode(value)
            if isinstance(number, str):
                wrong.setdefault(number.partition(", got ")[0], {})[row] = number
            else:
                numbers[row] = number
        for told in wrong.values():
            rows = np.array(list(told), dtype=np.int64)
            unread.append(Refusal(self.name, told[int(rows[0])], rows, told.__getitem__))
        return numbers

    def _encode(self, value: Any) -> float | str:
        """The number, NaN where there is none, or what is wrong with it."""
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return math.nan
        if self.feature is None:
            blank = isinstance(value, str) and not value.strip()
            return math.nan if blank else f"expected a number, got {repr(value)[:40]}"
        if self.feature.lacks(value):
            return math.nan
        declared = self.feature.declaration.values
        if declared and self.decimal != "." and isinstance(value, str) and value not in self.feature.codes:
            with suppress(ValueError):
                return self.feature.encode(re.sub(r"^\s*([+-]?\d*),(\d+)\s*$", r"\1.\2", value))
        try:
            return self.feature.encode(value)
        except ValueError as error:
            return str(error)


def note_rounding(name: str, numbers: Numbers, notes: Counter[str]) -> None:
    """Say where float32 makes neighbours one, beyond the whole numbers that it holds."""
    if numbers.dtype.kind not in "fiu" or not len(numbers):
        return
    with np.errstate(invalid="ignore", over="ignore"):
        large = numbers[(np.abs(numbers) > EXACT) & np.isfinite(numbers)]
        merged = int((large.astype(np.float32).astype(np.float64) != large).sum())
    if merged:
        notes[
            f"{name}: numbers beyond {EXACT:,} are rounded to 7 digits, so that neighbours become one; "
            "give a date as a time (measured_at), and count in thousands"
        ] += merged


def _single(values: npt.NDArray[Any]) -> list[Any]:
    """Plain values; those of float32 as they are written, not as float64 sees them."""
    if values.dtype == np.float32:
        return [None if math.isnan(value) else float(str(value)) for value in values]
    plain: list[Any] = values.tolist()
    return plain
