"""Taking in somebody's measured rows: map columns, check every row, say which are refused and why."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perfcast.datasets._dataset import Dataset, without_repeats
from perfcast.datasets._files import TIME, read_table
from perfcast.datasets._mapping import ColumnMap, map_columns
from perfcast.datasets._split import Moments
from perfcast.datasets._times import read_moments
from perfcast.errors import InvalidData
from perfcast.workloads import (
    CLOCK,
    ArrayArithmetic,
    Expression,
    Feature,
    Refusal,
    Rows,
    Workload,
    check_table,
    evaluate,
    names,
)

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class ImportReport:
    """What became of a file's rows.

    Attributes:
        rows: How many the file had.
        kept: How many are in the dataset.
        repeats: How many repeated another in every value.
        columns: Where each column came from.
        refusals: The ways in which rows were wrong; row 0 is the first below the header.
    """

    rows: int
    kept: int
    repeats: int
    columns: ColumnMap
    refusals: tuple[Refusal, ...]

    @property
    def refused(self) -> int:
        """How many rows were refused."""
        return len(np.unique(np.concatenate([refusal.rows for refusal in self.refusals]))) if self.refusals else 0


def import_file(
    path: Path,
    workload: Workload,
    *,
    name: str,
    told: Mapping[str, str] | None = None,
    zone: tzinfo = UTC,
    provenance: Mapping[str, Any] | None = None,
) -> tuple[Dataset, ImportReport]:
    """Read, map, check and tidy a file of measured rows.

    Args:
        path: CSV, TSV (either may be gzipped), Parquet or Arrow.
        workload: What the rows are measurements of.
        name: Of the source, such as the device or service.
        told: Columns or arithmetic over columns, by feature; the rest is found by name.
        zone: Time zone of times without an offset, and of clock features computed from them.
        provenance: What else to remember of the source.

    Returns:
        The dataset of the rows that are right, and the report on all.

    Raises:
        InvalidData: The file can't be read, a column can't be found, or no row is right.
    """
    frame = read_table(path)
    columns = map_columns(workload, frame.columns, told or {})
    moments, untimed = _moments(frame, columns, zone)
    features, unread = _features(frame, columns, workload, moments, zone)
    cost = _numbers(frame, columns.sources[workload.cost.name])
    refusals = _refusals(workload, features, cost, [*untimed, *unread])
    wrong = np.zeros(frame.height, dtype=np.bool_)
    for refusal in refusals:
        wrong[refusal.rows] = True
    if wrong.all():
        raise InvalidData(_nothing_left(path, frame.height, refusals))
    about = {**(provenance or {}), "file": path.name, "sha256": sha256(path.read_bytes()).hexdigest()}
    kept_moments = None if moments is None else moments[~wrong]
    dataset = Dataset(name, workload, features[~wrong], cost[~wrong], kept_moments, about)
    dataset, repeats = without_repeats(dataset)
    return dataset, ImportReport(frame.height, len(dataset), repeats, columns, tuple(refusals))


def read_features(
    frame: "pl.DataFrame", columns: ColumnMap, workload: Workload, *, zone: tzinfo = UTC
) -> tuple[Rows, list[Refusal]]:
    """The features of rows whose cost isn't known, and everything that is wrong with them.

    Args:
        frame: Some rows of a file.
        columns: Made by `map_columns` for the whole file.
        workload: Whose features they are.
        zone: Time zone of times without an offset, and of clock features computed from them.

    Returns:
        float32 [rows, features], NaN where a value can't be had, and the refusals by row of this frame.
    """
    clocks = [feature for feature in workload.features if feature.declaration.clock]
    needed = any(feature.name not in columns.sources for feature in clocks)
    moments, untimed = _moments(frame, columns, zone) if needed else (None, [])
    features, unread = _features(frame, columns, workload, moments, zone)
    return features, _refusals(workload, features, None, [*untimed, *unread])


def _nothing_left(path: Path, rows: int, refusals: list[Refusal]) -> str:
    reasons = "; ".join(f"{refusal.field} {refusal.message} ({len(refusal.rows)} rows)" for refusal in refusals[:5])
    return f"{path}: none of its {rows} rows can be taken" + (f": {reasons}" if reasons else "")


def _refusals(workload: Workload, features: Rows, cost: Rows | None, unread: list[Refusal]) -> list[Refusal]:
    """Reasons by row; a value that could not even be read is not reported again as missing."""
    found = list(unread)
    seen = {refusal.field: refusal.rows for refusal in unread}
    clocks = {feature.name for feature in workload.features if feature.declaration.clock}
    seen |= dict.fromkeys(clocks - seen.keys(), seen.get(TIME, np.array([], dtype=np.int64)))
    for refusal in check_table(workload, features, cost):
        rows = np.setdiff1d(refusal.rows, seen.get(refusal.field, np.array([], dtype=np.int64)))
        if len(rows):
            found.append(Refusal(refusal.field, refusal.message, rows))
    return found


def _moments(frame: "pl.DataFrame", columns: ColumnMap, zone: tzinfo) -> tuple[Moments | None, list[Refusal]]:
    """When each row was measured, or None where the file doesn't say; and what could not be read."""
    source = columns.sources.get(TIME)
    if source is None:
        return None, []
    if not isinstance(source, str):
        raise InvalidData(f"'{TIME}' must be a column, not arithmetic")
    return read_moments(frame[source], zone)


def _features(
    frame: "pl.DataFrame",
    columns: ColumnMap,
    workload: Workload,
    moments: Moments | None,
    zone: tzinfo,
) -> tuple[Rows, list[Refusal]]:
    """float32 [rows, features], NaN where a value can't be had, and the values that could not be read."""
    values: dict[str, Rows] = {}
    unread: list[Refusal] = []
    for feature in workload.features:
        source = columns.sources.get(feature.name)
        if source is None and feature.declaration.clock and moments is not None:
            values[feature.name] = _clock(feature.name, moments, zone)
            continue
        default = _default(feature, values, frame.height)
        if source is None:
            values[feature.name] = default
            continue
        column, wrong = _column(frame, source, feature, workload)
        values[feature.name] = np.where(np.isnan(column) & ~_marked(wrong, frame.height), default, column)
        if wrong:
            unread.append(wrong)
    return np.stack(list(values.values()), axis=1).astype(np.float32), unread


def _marked(refusal: Refusal | None, rows: int) -> npt.NDArray[np.bool_]:
    marked = np.zeros(rows, dtype=np.bool_)
    if refusal:
        marked[refusal.rows] = True
    return marked


def _default(feature: Feature, values: Mapping[str, Rows], rows: int) -> Rows:
    if feature.default is None:
        return np.full(rows, np.nan, dtype=np.float32)
    default = evaluate(feature.default, values, ArrayArithmetic())
    return np.broadcast_to(default, rows).astype(np.float32)


def _column(
    frame: "pl.DataFrame", source: str | Expression, feature: Feature, workload: Workload
) -> tuple[Rows, Refusal | None]:
    if isinstance(source, str) and feature.declaration.values:
        return _encoded(frame[source].to_list(), lambda value: workload.encode(feature, value), feature.name)
    numbers = _numbers(frame, source)
    if not isinstance(source, str) or frame[source].dtype.is_numeric():
        return numbers, None
    present = ~frame[source].is_null().to_numpy()
    rows = np.flatnonzero(present & np.isnan(numbers))
    if not len(rows):
        return numbers, None
    shown = repr(frame[source][int(rows[0])])[:40]
    return numbers, Refusal(feature.name, f"expected a number, got {shown}", rows)


def _encoded(values: list[Any], encode: Callable[[Any], float], field: str) -> tuple[Rows, Refusal | None]:
    column = np.full(len(values), np.nan, dtype=np.float32)
    wrong: list[int] = []
    message = ""
    for row, value in enumerate(values):
        if value is None:
            continue
        try:
            column[row] = encode(value)
        except ValueError as error:
            wrong.append(row)
            message = message or str(error)
    return column, Refusal(field, message, np.array(wrong, dtype=np.int64)) if wrong else None


def _numbers(frame: "pl.DataFrame", source: str | Expression) -> Rows:
    """float32 [rows]; NaN where there is no number."""
    import polars as pl

    def floats(name: str) -> npt.NDArray[np.float32]:
        column = frame[name]
        if column.dtype == pl.Boolean:
            column = column.cast(pl.Int8)
        numbers: npt.NDArray[np.float32] = column.cast(pl.Float64, strict=False).fill_null(math.nan).to_numpy()
        return numbers

    if isinstance(source, str):
        return floats(source).astype(np.float32)
    used = {name: floats(name) for name in set(names(source))}
    result: Rows = evaluate(source, used, ArrayArithmetic())
    return np.broadcast_to(result, frame.height).astype(np.float32)


def _clock(name: str, moments: Moments, zone: tzinfo) -> Rows:
    """float32 [rows]; NaN where there is no moment."""
    local = [moment and moment.replace(tzinfo=UTC).astimezone(zone) for moment in moments.tolist()]
    return np.array([math.nan if moment is None else CLOCK[name](moment) for moment in local], dtype=np.float32)
