"""Parquet files, read and written in bounded memory; what goes wrong is blamed on the file that it went wrong with."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from perfcast.errors import InvalidData, Unavailable
from perfcast.scoring._plan import Partition

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 65_536
"""Most rows in memory at a time, and in each row group that is written."""
BATCH_BYTES = 32_000_000
"""About how many bytes of them, as they take in memory."""
_SAMPLE_ROWS = 128
_READ_BYTES = 1 << 17  # of each column


def read_schema(path: Path) -> "pa.Schema":
    """The columns of a file.

    Raises:
        InvalidData: It can't be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from None


class Input:
    """Files that are read one after another, each opened once."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._file: pq.ParquetFile | None = None

    def batches(self, part: Partition) -> "Iterator[pa.RecordBatch]":
        """The rows of a row group, a few at a time: `BATCH_ROWS`, or as many as fit into `BATCH_BYTES`.

        Raises:
            InvalidData: They can't be read, or are not those that were there before.
        """
        import pyarrow as pa

        seen = 0
        try:
            file = self._opened(part.path)
            rows = _rows_at_a_time(file, part)
            for batch in file.iter_batches(rows, row_groups=[part.group]):
                seen += batch.num_rows
                yield batch
        except (OSError, IndexError, pa.ArrowException) as error:
            raise _unreadable(part.path, error) from None
        if seen != part.rows:
            raise InvalidData(f"{part.path}: was changed while it was read; score it again")

    def _opened(self, path: Path) -> "pq.ParquetFile":
        if self._file is None or self._path != path:
            self.close()
            self._path, self._file = path, _open(path)
        return self._file

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Output:
    """A file that is written piece by piece.

    Args:
        path: Where.
        schema: Of its columns.
        name: What people know it as.

    Raises:
        Unavailable: It can't be written, for instance because the disk is full.
        InvalidData: Parquet has no place for such columns.
    """

    def __init__(self, path: Path, schema: "pa.Schema", name: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._name = name
        try:
            self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        except pa.ArrowException as error:
            raise InvalidData(f"{name}: the input's columns can't be written: {error}") from None
        except OSError as error:
            raise self._unwritable(error) from None

    def write(self, table: "pa.Table") -> None:
        """Add rows."""
        try:
            self._writer.write_table(table)
        except OSError as error:
            raise self._unwritable(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._writer.close()
        except OSError as error:
            if kind is None:  # else the reason is told already
                raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> Unavailable:
        return Unavailable(f"{self._name}: can't be written: {error}")


def merge(paths: Iterable[Path], target: Path, name: Path) -> None:
    """Write several files of the same columns into one, and remove each when that is done.

    Args:
        paths: At least one.
        target: Where to.
        name: What people know it as.
    """
    import pyarrow as pa

    with ExitStack() as stack:
        output: Output | None = None
        for path in paths:
            try:
                with _open(path) as file:
                    output = output or stack.enter_context(Output(target, file.schema_arrow, name))
                    for group in range(file.num_row_groups):
                        output.write(file.read_row_group(group))
            except (OSError, pa.ArrowException) as error:
                raise Unavailable(f"{name}: what a worker wrote for it can't be read: {error}") from None
            path.unlink()


def _open(path: Path) -> "pq.ParquetFile":
    """A file of which only a little is in memory at a time, however large its row groups are."""
    import pyarrow.parquet as pq

    return pq.ParquetFile(path, pre_buffer=False, buffer_size=_READ_BYTES)


def _rows_at_a_time(file: "pq.ParquetFile", part: Partition) -> int:
    """How many rows fit, judged by the first ones and by the size that the file states."""
    if part.rows <= _SAMPLE_ROWS:
        return BATCH_ROWS
    first = next(file.iter_batches(_SAMPLE_ROWS, row_groups=[part.group]))
    stated = file.metadata.row_group(part.group).total_byte_size / part.rows
    row_bytes = max(1.0, first.nbytes / first.num_rows, stated)
    return max(1, min(BATCH_ROWS, int(BATCH_BYTES / row_bytes)))


def _unreadable(path: Path, error: Exception) -> InvalidData:
    return InvalidData(f"{path}: can't be read as Parquet: {error}")
