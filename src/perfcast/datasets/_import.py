"""Taking in somebody's measured rows: map columns, check every row, say which are refused and why."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np

from perfcast.datasets._dataset import Dataset, without_repeats
from perfcast.errors import InvalidData
from perfcast.tables import BatchReader, ColumnMap, Moments, Taken, check_kinds, map_columns, open_table
from perfcast.workloads import Refusal, Rows, Workload, builtin_workloads, merged, right_rows

_WORKLOADS = Path(__file__).parent.parent / "workloads"


@dataclass(frozen=True)
class ImportReport:
    """What became of a file's rows."""

    rows: int  # how many the file had
    kept: int  # how many are in the dataset
    repeats: int  # how many repeated another in every value
    columns: ColumnMap  # where each column came from
    refusals: tuple[Refusal, ...]  # the ways in which rows were wrong; row 0 is the first below the names
    notes: Mapping[str, int] = field(default_factory=dict)  # what was assumed, and of how many rows
    read_as: str = ""  # how a text file is written, in words

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
    on_rows: Callable[[int, int | None], None] | None = None,
) -> tuple[Dataset, ImportReport]:
    """Read, map, check and tidy a file of measured rows.

    Args:
        path: Text (CSV, TSV; also gzipped), Parquet or Arrow; read in bounded memory but for the rows that are kept.
        workload: What the rows are measurements of.
        name: Of the source, such as the device or service.
        told: Columns or arithmetic over columns, by feature; the rest is found by name.
        zone: Time zone of times without an offset, and of clock features computed from them.
        provenance: What else to remember of the source.
        on_rows: Told how many rows are read, and about how many there are where that is known.

    Returns:
        The dataset of the rows that are right, and the report on all.

    Raises:
        InvalidData: The file can't be read, a column can't be found, or no row is right.
    """
    with closing(open_table(path)) as table:
        columns = map_columns(workload, table.names, told or {})
        check_kinds(table.schema, [name for name in table.names if name not in columns.ignored])
        reader = BatchReader(workload, columns, zone)
        table.read_as(columns.numbers, columns.choices)
        kept, rows, refused, notes = _Kept(len(workload.features)), 0, list[Refusal](), Counter[str]()
        for batch in table.batches():
            taken, cost, times = reader.read(batch, table.decimal, measured=True)
            assert cost is not None
            refused += [Refusal(bad.field, bad.message, bad.rows + rows) for bad in taken.refusals]
            kept.add(taken, cost, None if times is None else times.moments)
            notes += taken.notes
            rows += batch.num_rows
            if on_rows is not None:
                on_rows(rows, table.expected(rows))
        ragged = table.ragged
        notes += Counter(table.notes)
        refusals = [*ragged, *(Refusal(bad.field, bad.message, table.numbered(bad.rows)) for bad in merged(refused))]
    rows += sum(len(refusal.rows) for refusal in ragged)
    if not kept.cost:
        raise InvalidData(_nothing_left(path, rows, refusals))
    about = {**(provenance or {}), "file": path.name, "sha256": _digest(path)}
    dataset = Dataset(name, workload, *kept.whole(), about)
    dataset, repeats = without_repeats(dataset, zone)
    report = ImportReport(rows, len(dataset), repeats, columns, tuple(refusals), notes, table.words)
    return dataset, report


def shipped_files() -> Mapping[str, Path]:
    """The Parquet files of measured rows, by dataset name; a data card lies beside each."""
    return {path.stem: path for path in sorted(_WORKLOADS.glob("*/measured/*.parquet"))}


def shipped_workload(name: str) -> str:
    """The name of the built-in workload that the rows of one of `shipped_files` measure.

    Raises:
        KeyError: There is no such file.
    """
    return shipped_files()[name].parent.parent.name.replace("_", "-")


def shipped_dataset(name: str) -> Dataset:
    """One of `shipped_files` as a dataset.

    Raises:
        KeyError: There is no such file.
    """
    workload = builtin_workloads()[shipped_workload(name)]
    about = {"source": "measured, shipped with Perfcast", "card": f"{name}.md"}
    return import_file(shipped_files()[name], workload, name=name, provenance=about)[0]


class _Kept:
    """The rows that are right so far, in memory that grows in its place: never there twice."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._features, self.cost, self._moments = bytearray(), bytearray(), bytearray()

    def add(self, taken: Taken, cost: Rows, moments: Moments | None) -> None:
        right = right_rows(taken.refusals, len(cost))
        self._features += taken.rows[right].data
        self.cost += cost[right].data
        if moments is not None:
            self._moments += moments[right].view(np.int64).data

    def whole(self) -> tuple[Rows, Rows, Moments | None]:
        features = np.frombuffer(self._features, np.float32).reshape(-1, self._width)
        moments = np.frombuffer(self._moments, "datetime64[us]") if self._moments else None
        return features, np.frombuffer(self.cost, np.float32), moments


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _nothing_left(path: Path, rows: int, refusals: list[Refusal]) -> str:
    reasons = "; ".join(f"{refusal.field} {refusal.message} ({len(refusal.rows)} rows)" for refusal in refusals[:5])
    return f"{path}: none of its {rows} rows can be taken" + (f": {reasons}" if reasons else "")
