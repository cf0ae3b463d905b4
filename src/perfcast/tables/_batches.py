"""Rows of somebody's files, batch by batch, as their columns were mapped."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any

import numpy as np

from perfcast.errors import InvalidData
from perfcast.tables._mapping import ColumnMap
from perfcast.tables._moments import Times, read_moments
from perfcast.tables._reader import TIME, ColumnReader, Taken
from perfcast.workloads import Refusal, Rows, Workload


class BatchReader:
    """Reads batches of a file whose columns were mapped.

    Args:
        workload: Whose rows they are.
        columns: Where its columns are.
        zone: Time zone of times without an offset, and of clock features computed from them.
    """

    def __init__(self, workload: Workload, columns: ColumnMap, zone: tzinfo) -> None:
        self._workload, self._columns, self._zone = workload, columns, zone
        self._reader = ColumnReader(workload, zone)
        clocks = [feature.name for feature in workload.features if feature.declaration.clock]
        self._timed = TIME in columns.sources and any(name not in columns.sources for name in clocks)

    def read(self, batch: Any, decimal: str, *, measured: bool) -> tuple[Taken, Rows | None, Times | None]:
        """Some rows, their costs where measured, and when that was.

        Args:
            batch: Arrow's.
            decimal: What stands before decimals in its texts.
            measured: Whether costs and times are wanted; else times only where features come from them.
        """
        notes, unread = Counter[str](), list[Refusal]()
        columns = self._columns.columns(batch, decimal, notes, unread)
        column, cost = columns.pop(TIME, None), columns.pop(self._workload.cost.name, None)
        times = None
        if column is not None and (measured or self._timed):
            times = read_moments(TIME, column, self._zone)
        taken, costs = self._reader.take(columns, times, cost, decimal=decimal)
        refusals = [self._columns.with_recipe(refusal) for refusal in _others(taken.refusals, unread)]
        return Taken(taken.rows, unread + refusals, taken.notes + notes), costs, times


def _others(refusals: Iterable[Refusal], told: Iterable[Refusal]) -> Iterator[Refusal]:
    """Refusals without the rows that were told for the same field."""
    for refusal in refusals:
        left = refusal.rows
        for other in told:
            left = np.setdiff1d(left, other.rows) if other.field == refusal.field else left
        if len(left):
            yield Refusal(refusal.field, refusal.message, left)


def check_kinds(schema: Any, used: Iterable[str]) -> None:
    """Refuse columns that can't hold a number, a text or a time.

    Raises:
        InvalidData: One is such.
    """
    import pyarrow as pa

    unreadable = (
        pa.types.is_nested,
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_binary_view,
        pa.types.is_fixed_size_binary,
        pa.types.is_decimal256,
        lambda kind: isinstance(kind, pa.BaseExtensionType),
    )
    for name in used:
        kind = schema.field(name).type
        inner = kind.value_type if pa.types.is_dictionary(kind) else kind
        if any(is_such(inner) for is_such in unreadable):
            raise InvalidData(f"column '{name}' holds {kind}, where numbers, texts or times are expected")


def merged(refusals: Iterable[Refusal]) -> list[Refusal]:
    """One refusal for each way in which rows are wrong, with the first value that is."""
    found: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in refusals:
        found.setdefault((refusal.field, refusal.message.partition(", got ")[0]), []).append(refusal)
    return [
        Refusal(same[0].field, same[0].message, np.concatenate([refusal.rows for refusal in same]))
        for same in found.values()
    ]
