"""Rows of somebody's files, batch by batch, as their columns were mapped."""

from collections import Counter
from collections.abc import Iterable
from datetime import tzinfo
from typing import Any

from perfcast.errors import InvalidData
from perfcast.tables._mapping import ColumnMap
from perfcast.tables._moments import Times, read_moments
from perfcast.tables._reader import TIME, ColumnReader, Taken
from perfcast.workloads import Refusal, Rows, Workload


class BatchReader:
    """Reads batches of a file whose columns were mapped; times without an offset are in the zone."""

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
        others = (self._columns.with_recipe(refusal.without(unread)) for refusal in taken.refusals)
        refusals = [*unread, *(refusal for refusal in others if len(refusal.rows))]
        return Taken(taken.rows, refusals, taken.notes + notes), costs, times


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
