"""Recorded predictions into a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from perfcast.errors import InvalidData, InvalidSetting, Unavailable
from perfcast.files import appearing
from perfcast.monitoring._history import FeaturesOf, Selection, extent, features_of_all, selected
from perfcast.monitoring._table import RecordTable
from perfcast.storage import Database

FORMATS = ("parquet", "csv", "arrow")


def export_predictions(
    database: Database,
    target: Path,
    selection: Selection,
    *,
    features_of: FeaturesOf,
    form: str = "",
    on_rows: Callable[[int, int], None] = lambda _done, _of: None,
) -> int:
    """Write what was predicted into a file, which appears whole; memory stays bounded, and nobody waits.

    Args:
        database: Where the records are.
        target: The file; one that is there is replaced.
        selection: Which of them.
        features_of: Names the columns.
        form: One of `FORMATS`; empty: by the end of the file's name.
        on_rows: Told how many records have been read, of about how many.

    Returns:
        How many rows were written.

    Raises:
        InvalidSetting: There is no such format.
        InvalidData: Nothing was predicted that fits.
        Unavailable: The file can't be written.
    """
    form = form or target.suffix.lstrip(".").lower()
    if form not in FORMATS:
        raise InvalidSetting(f"--format must be one of {', '.join(FORMATS)}, got '{form}'")
    there = extent(database, selection)
    table = RecordTable(features_of_all(database, there.kinds, features_of))
    read = written = 0

    def blocks() -> Iterator[list[Any]]:
        nonlocal read, written
        for count, records in selected(database, selection):
            known = [record for record in records if table.knows(record)]
            yield known
            read, written = read + count, written + len(known)
            on_rows(read, max(read, there.records))

    try:
        with _writer(form, target, table) as write:
            for part in table.tables(blocks()):
                write(part)
            if not written:
                raise InvalidData(f"{target}: no prediction was recorded of that model and those times")
    except OSError as error:
        raise Unavailable(f"{target}: can't be written: {error.strerror or error}") from None
    return written


@contextmanager
def _writer(form: str, target: Path, table: RecordTable) -> Iterator[Callable[[Any], None]]:
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    with appearing(target) as unfinished:
        if form == "parquet":
            with pq.ParquetWriter(unfinished, table.schema, compression="zstd") as parquet:
                yield parquet.write_table
        elif form == "csv":
            with pc.CSVWriter(unfinished, table.schema) as lines:
                yield lines.write_table
        else:
            with pa.OSFile(str(unfinished), "wb") as file, pa.ipc.new_file(file, table.schema) as arrow:
                yield arrow.write_table
