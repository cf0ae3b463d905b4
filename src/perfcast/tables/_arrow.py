"""Arrow's columns as numbers; with `_open` and `_text` the only modules here that import PyArrow."""

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[Any]
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:nan|inf|infinity)$"
_GROUPED = r"^[+-]?\d{1,3}(,\d{3})+\.\d+$|^[+-]?\d{1,3}(,\d{3}){2,}$"
"""Thousands that can't be meant as decimals: followed by these, or several of them."""
_DECIMAL_COMMA = r"^[+-]?(\d*,(\d{1,2}|\d{4,})|(0\d*|\d{4,})?,\d{3})$"
"""That can't be meant as thousands."""
_NANOSECONDS: dict[str, int] = {
    **dict.fromkeys(("ns", "nanoseconds"), 1),
    **dict.fromkeys(("us", "µs", "microseconds"), 10**3),
    **dict.fromkeys(("ms", "milliseconds"), 10**6),
    **dict.fromkeys(("s", "sec", "seconds"), 10**9),
    **dict.fromkeys(("min", "minutes"), 60 * 10**9),
    **dict.fromkeys(("h", "hours"), 3600 * 10**9),
    **dict.fromkeys(("d", "days"), 86400 * 10**9),
}


def is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_number(kind: pa.DataType) -> bool:
    """Whether values are numbers, or all missing."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind))


def decoded(column: Any) -> pa.Array:
    """One array, without a dictionary and without views."""
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string()) if pa.types.is_string_view(column.type) else column


def plain(column: pa.Array) -> Numbers:
    """NumPy's view of a column of numbers; a copy where values are missing, which become NaN."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    elif pa.types.is_decimal(column.type) or pa.types.is_null(column.type):
        column = column.cast(pa.float64())
    values: Numbers = column.to_numpy(zero_copy_only=False)
    return values


def spans(column: pa.Array, unit: str) -> Numbers | None:
    """Durations in a unit of time, float64 [rows]; None where it is none."""
    wanted = _NANOSECONDS.get(unit.strip().lower())
    if wanted is None:
        return None
    counts = column.cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    numbers: Numbers = counts * _NANOSECONDS[column.type.unit] / wanted
    return numbers


def parse_numbers(
    texts: pa.Array, decimal: str, field: str, notes: Counter[str], *, percent: bool, milli: bool = False
) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Numbers in texts, float64 [rows], NaN where there is none; and where a text stands that is no number.

    Args:
        texts: Such as `12.5`; thousands may be parted where that can't be meant as decimals.
        decimal: What stands before decimals; where it is empty, a point or what can only be a decimal comma.
        field: What the column is for.
        notes: Is told what was assumed, and in how many rows.
        percent: Whether `45%` means 45.
        milli: Whether `450m` means 0.45.
    """
    if decimal == ",":
        swapped = pc.replace_substring(pc.replace_substring(texts, ".", "\0"), ",", ".")
        texts = pc.replace_substring(swapped, "\0", ",")
    try:
        return texts.cast(pa.float64()).to_numpy(zero_copy_only=False), np.zeros(len(texts), dtype=np.bool_)
    except pa.ArrowInvalid:
        tidy = pc.utf8_trim_whitespace(texts)
        tidy = pc.if_else(pc.equal(tidy, ""), None, tidy)
    marks = [(_GROUPED, ",", "", "commas or dots between thousands were left out")]
    marks += [(r"\d\s*%$", r"\s*%$", "", "read without its %")] if percent else []
    marks += [(r"^[+-]?[\d.]+m$", "m$", "e-3", "m was read as thousandths")] if milli else []
    marks += [] if decimal else [(_DECIMAL_COMMA, ",", ".", "decimal commas were read")]
    for pattern, mark, by, note in marks:
        found = pc.match_substring_regex(tidy, pattern).fill_null(False)  # noqa: FBT003
        if count := pc.sum(found).as_py():
            tidy = pc.if_else(found, pc.replace_substring_regex(tidy, mark, by), tidy)
            notes[f"{field}: {note}"] += count
    good = pc.match_substring_regex(tidy, _NUMBER)
    numbers = pc.if_else(good, tidy, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return numbers, pc.invert(good).fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003
