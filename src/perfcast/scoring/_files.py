"""Files, written in bounded memory; what goes wrong is blamed on the file that it went wrong with."""

from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Self

from perfcast.errors import InvalidData, Unavailable
from perfcast.tables import open_table

if TYPE_CHECKING:
    import pyarrow as pa


class Output:
    """A file that is written piece by piece; errors call it by the name that people know.

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
    """Write one or more files of the same columns into one, and remove each when that is done."""
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
