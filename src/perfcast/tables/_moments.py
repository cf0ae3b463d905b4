"""When rows were measured: a column of texts, times, dates or numbers as moments in UTC, and what they decide."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, tzinfo
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.workloads import NOWHEN, Refusal, no_moment, numbered_moments, offsets, stated_moment

Moments: TypeAlias = npt.NDArray[np.datetime64]
Micros = npt.NDArray[np.int64]
_SLICE = 65_536
_FEW = 4_096
"""Texts of a JSON list that aren't worth the import of PyArrow."""
_RANGE = tuple(np.datetime64(text, "us").astype(np.int64) for text in ("0001-01-03", "9999-12-29"))
_YEARS = tuple(bound // 1_000_000 for bound in _RANGE)
"""The same in seconds, which no unit of time overflows."""
_DAY = 86_400_000_000
_NUMBER = r"^\s*\d+(\.\d*)?\s*$"
_ZONED = r"(Z|[+-]\d\d:?\d\d)$"


class Times(NamedTuple):
    """Moments of rows."""

    moments: Moments  # datetime64[us] [rows] in UTC, NaT where there is none
    refusal: Refusal | None  # the rows that have none
    notes: Counter[str]  # what was assumed, and of how many rows


def read_moments(field: str, column: Any, zone: tzinfo) -> Times:
    """Every row's moment, from a column of NumPy's (times in UTC) or Arrow's; what has no offset is in the zone."""
    parts = [_read(column[at : at + _SLICE]) for at in range(0, len(column), _SLICE)]
    micros = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, dtype=np.int64)
    local = np.concatenate([part[1] for part in parts]) if parts else np.zeros(0, dtype=np.bool_)
    micros[(micros < _RANGE[0]) | (micros > _RANGE[1])] = NOWHEN
    notes: Counter[str] = Counter()
    chosen = local & (micros != NOWHEN)
    if chosen.any() and not (micros[chosen] % _DAY).any():
        notes[f"{field}: dates without a time, each taken for midnight"] = int(chosen.sum())
    if zone is not UTC and str(zone) != "UTC" and chosen.any():
        micros[chosen] = _to_utc(micros[chosen], zone, field, notes)
    wrong = np.flatnonzero(micros == NOWHEN)
    return Times(micros.view("datetime64[us]"), _refusal(field, column, wrong), notes)


def _refusal(field: str, column: Any, rows: npt.NDArray[np.int64]) -> Refusal | None:
    if not len(rows):
        return None
    if not isinstance(column, np.ndarray) and _other_kind(column.type):
        return Refusal(field, f"holds {column.type}, where times are expected", rows)
    own = partial(_untold, column)
    return Refusal(field, own(int(rows[0])), rows, own)


def _untold(column: Any, row: int) -> str:
    cell = column[row]
    try:
        value = cell.as_py() if hasattr(cell, "as_py") else cell
    except (ValueError, OverflowError):  # Python has no such year
        value = np.int64(getattr(cell.value, "value", cell.value))
    return no_moment((str(value) if isinstance(value, np.generic) else repr(value))[:40])


def _other_kind(kind: Any) -> bool:
    import pyarrow as pa

    from perfcast.tables._arrow import is_number, is_text

    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    times = pa.types.is_timestamp(inner) or pa.types.is_date(inner) or pa.types.is_null(inner)
    return not (times or is_text(inner) or is_number(inner))


def _read(column: Any) -> tuple[Micros, npt.NDArray[np.bool_]]:
    """Microseconds, `NOWHEN` where there is none, and whether they are of local time."""
    if not isinstance(column, np.ndarray):
        return _read_arrow(column)
    if column.dtype.kind == "M":
        return _micros(column), np.zeros(len(column), dtype=np.bool_)
    if column.dtype.kind in "fiu":
        return numbered_moments(column)
    values = column.tolist()
    if len(values) > _FEW and all(value is None or isinstance(value, str) for value in values):
        import pyarrow as pa

        return _texts(pa.array(values, pa.string()))
    return _singly(values)


def _read_arrow(column: Any) -> tuple[Micros, npt.NDArray[np.bool_]]:
    import pyarrow as pa

    from perfcast.tables._arrow import decoded, is_number, is_text, plain

    column = decoded(column)
    kind, rows = column.type, len(column)
    if is_text(kind):
        return _texts(column)
    if is_number(kind):
        return numbered_moments(plain(column))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        local = not pa.types.is_timestamp(kind) or kind.tz is None
        return _micros(column.to_numpy(zero_copy_only=False)), np.full(rows, local)
    return np.full(rows, NOWHEN), np.zeros(rows, dtype=np.bool_)


def _micros(times: Moments) -> Micros:
    """`NOWHEN` where a time of any unit is none, or lies in no year that Python has."""
    seconds = times.astype("datetime64[s]").astype(np.int64)
    good = (seconds >= _YEARS[0]) & (seconds <= _YEARS[1])
    micros: Micros = (
        (times if good.all() else np.where(good, times, np.datetime64("NaT"))).astype("datetime64[us]").astype(np.int64)
    )
    return micros


def _texts(texts: Any) -> tuple[Micros, npt.NDArray[np.bool_]]:
    """Texts: those that look alike are read at once, and one by one where one of them isn't what it looks like."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def alike(pattern: str) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = pc.match_substring_regex(texts, pattern).fill_null(False).to_numpy(False)  # noqa: FBT003
        return found

    micros, local = np.full(len(texts), NOWHEN), np.zeros(len(texts), dtype=np.bool_)
    numbers, zoned = alike(_NUMBER), alike(_ZONED)
    present = texts.is_valid().to_numpy(zero_copy_only=False)
    for chosen, kind in ((zoned, pa.timestamp("us", "UTC")), (present & ~numbers & ~zoned, pa.timestamp("us"))):
        if chosen.any():
            some = texts if chosen.all() else texts.filter(pa.array(chosen))
            try:
                micros[chosen] = _micros(some.cast(kind).to_numpy(zero_copy_only=False))
                local[chosen] = kind.tz is None
            except pa.ArrowInvalid:
                micros[chosen], local[chosen] = _singly(some.to_pylist())
    if numbers.any():
        some = pc.utf8_trim_whitespace(texts.filter(pa.array(numbers)))
        try:
            values = some.cast(pa.int64())
        except pa.ArrowInvalid:
            values = some.cast(pa.float64())
        micros[numbers], local[numbers] = numbered_moments(values.to_numpy(zero_copy_only=False))
    return micros, local


def _singly(values: Sequence[Any]) -> tuple[Micros, npt.NDArray[np.bool_]]:
    known: dict[tuple[type, Any], tuple[int, bool]] = {}
    micros, local = np.full(len(values), NOWHEN), np.zeros(len(values), dtype=np.bool_)
    for row, value in enumerate(values):
        try:
            key = (type(value), value)
            if key not in known:
                moment, unzoned = stated_moment(value)
                plain = moment if unzoned else moment.astimezone(UTC).replace(tzinfo=None)
                known[key] = int(np.datetime64(plain, "us").astype(np.int64)), unzoned
            micros[row], local[row] = known[key]
        except (ValueError, OverflowError, TypeError):
            continue
    return micros, local


def _to_utc(local: Micros, zone: tzinfo, field: str, notes: Counter[str]) -> Micros:
    """Local times in UTC: of one that comes twice the first, and one that doesn't exist as the clock had run on."""
    first, second = offsets(local // 1_000_000, zone, utc=False).T
    twice, none = int((first > second).sum()), int((first < second).sum())
    if twice:
        notes[f"{field}: local times that come twice as clocks go back, each taken for the first"] = twice
    if none:
        notes[f"{field}: local times that don't exist as clocks go forward, each taken for an hour later"] = none
    moments: Micros = local - 1_000_000 * first
    return moments
