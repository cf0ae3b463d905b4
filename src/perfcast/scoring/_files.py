"""Files, read and written in bounded memory; what goes wrong is blamed on the file that it went wrong with."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Self

from perfcast.errors import InvalidData, Unavailable
from perfcast.scoring._plan import Partition
from perfcast.tables import ParquetTable, Table, open_table

if TYPE_CHECKING:
    import pyarrow as pa


class Input:
    """Files that are read one after another, each Parquet file opened once."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._table: Table | None = None

    def batches(self, part: Partition) -> "Iterator[pa.RecordBatch]":
        """The rows of a partition, a few at a time.

        Raises:
            InvalidData: They can't be read, or are not those that were there before.
        """
        seen = 0
        table = self.opened(part.path)
        for batch in table.batches(part.group) if isinstance(table, ParquetTable) else table.batches():
            seen += batch.num_rows
            yield batch
        if seen != part.rows:
            raise InvalidData(f"{part.path}: was changed while it was read; score it again")

    def opened(self, path: Path) -> Table:
        """The table of a file."""
        if self._table is None or self._path != path:
            self.close()
            self._path, self._table = path, open_table(path)
        return self._table

    def close(self) -> None:
        """Close the file that is open."""
        if self._table is not None:
            self._table.close()
        self._table = None

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
                with closing(open_table(path)) as table:
                    output = output or stack.enter_context(Output(target, table.schema, name))
                    for batch in table.batches():
                        output.write(pa.Table.from_batches([batch]))
            except (OSError, pa.ArrowException, InvalidData) as error:
                raise Unavailable(f"{name}: what a worker wrote for it can't be read: {error}") from None
            path.unlink()
