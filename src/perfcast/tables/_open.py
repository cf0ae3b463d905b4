"""Files of tables, opened as batches of rows in bounded memory, whatever their format."""

import os
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidData
from perfcast.tables._text import TextTable
from perfcast.workloads import Refusal

BATCH_ROWS = 65_536
"""Most rows of a batch."""
BATCH_BYTES = 32_000_000
"""About how many bytes of them, as they take in memory."""
_SAMPLE_ROWS = 128
_READ_BYTES = 1 << 17  # of each column
_KINDS = {
    **dict.fromkeys(("csv", "tsv", "txt"), "text"),
    "parquet": "Parquet",
    **dict.fromkeys(("arrow", "feather", "ipc"), "Arrow"),
}
FORMATS = ".csv, .tsv, .txt (each also .gz), .parquet, .arrow, .feather, .ipc"


class ParquetTable:
    """The rows of a Parquet file, a few at a time however large its row groups are.

    Attributes:
        names, schema: Of the columns.
        group_rows: How many rows each row group has.
    """

    decimal = "."
    words = ""
    notes: Mapping[str, int] = MappingProxyType({})

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self._path = path
        self._file = pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_BYTES)
        self.schema = self._file.schema_arrow
        self.names = tuple(self.schema.names)
        metadata = self._file.metadata
        self.group_rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]

    def read_as(self, numbers: Collection[str], choices: Collection[str]) -> None:
        """Numbers are numbers here, and nothing is a comment."""

    def batches(self, group: int | None = None) -> Iterator[Any]:
        """Rows, `BATCH_ROWS` or as many as fit into `BATCH_BYTES`, of one row group if given, else of all.

        Raises:
            InvalidData: They can't be read.
        """
        import pyarrow as pa

        try:
            yield from self._batches(group)
        except (OSError, IndexError, pa.ArrowException) as error:
            raise unreadable(self._path, error) from None

    def _batches(self, group: int | None) -> Iterator[Any]:
        for number in range(len(self.group_rows)) if group is None else (group,):
            yield from self._file.iter_batches(self._rows_at_a_time(number), row_groups=[number])

    def _rows_at_a_time(self, group: int) -> int:
        """How many rows fit, judged by the first ones and by the size that the file states."""
        if self.group_rows[group] <= _SAMPLE_ROWS:
            return BATCH_ROWS
        first = next(self._file.iter_batches(_SAMPLE_ROWS, row_groups=[group]))
        stated = self._file.metadata.row_group(group).total_byte_size / self.group_rows[group]
        row_bytes = max(1.0, first.nbytes / first.num_rows, stated)
        return max(1, min(BATCH_ROWS, int(BATCH_BYTES / row_bytes)))

    ragged: tuple[Refusal, ...] = ()

    def numbered(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The rows' numbers, as they are."""
        return rows

    def expected(self, rows: int) -> int | None:  # noqa: ARG002  # the file says it
        """How many rows there are; None where that isn't known."""
        return sum(self.group_rows) if self.group_rows else None

    def close(self) -> None:
        self._file.close()


class ArrowTable(ParquetTable):
    """The rows of an Arrow file or stream."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        self._path, self.group_rows = path, None  # type: ignore[assignment]  # unknown until it is read
        self._mapped = pa.memory_map(str(path))
        try:
            file = pa.ipc.open_file(self._mapped)
            self._parts: Any = (file.get_batch(number) for number in range(file.num_record_batches))
        except pa.ArrowInvalid:
            self._mapped.seek(0)
            file = self._parts = pa.ipc.open_stream(self._mapped)
        self.schema = file.schema
        self.names = tuple(file.schema.names)

    def _batches(self, group: int | None) -> Iterator[Any]:  # noqa: ARG002  # there is one group
        for part in self._parts:
            yield from (part.slice(at, BATCH_ROWS) for at in range(0, part.num_rows, BATCH_ROWS))

    def close(self) -> None:
        self._mapped.close()


Table: TypeAlias = TextTable | ParquetTable


def _suffix(path: Path) -> str:
    return path.name.lower().removesuffix(".gz").rsplit(".", 1)[-1]


def is_table(path: Path) -> bool:
    """Whether its name is that of one of `FORMATS`."""
    return _suffix(path) in _KINDS


def open_table(path: Path) -> Table:
    """A file of one of `FORMATS`, ready to be read.

    Raises:
        InvalidData: It is missing, of another format, or can't be read.
    """
    import pyarrow as pa

    if not is_table(path):
        raise InvalidData(f"{path}: '{_suffix(path)}' is not a known format; known are {FORMATS}")
    kind = _KINDS[_suffix(path)]
    try:
        if kind == "text":
            packed = _is_packed(path)
            opened = partial(pa.input_stream, str(path), compression="gzip" if packed else None)
            return TextTable(opened, str(path), 0 if packed else path.stat().st_size)
        return ParquetTable(path) if kind == "Parquet" else ArrowTable(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from None


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def unreadable(path: Path, error: Exception) -> InvalidData:
    """What to tell of a file that can't be read."""
    if isinstance(error, OSError) and error.errno:
        return InvalidData(f"{path}: {error.strerror or os.strerror(error.errno)}")
    return InvalidData(
        f"{path}: can't be read as {_KINDS[_suffix(path)]}; it is damaged, cut off, or of another format"
    )
