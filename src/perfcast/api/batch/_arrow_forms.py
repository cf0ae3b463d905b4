"""Columns as an Arrow stream, CSV or Parquet, in and out; the only module here that imports PyArrow."""

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from perfcast.api.batch._arrow_messages import refuse_compressed
from perfcast.api.batch._forms import ARROW, CSV, Question
from perfcast.api.http._problems import TooManyRows
from perfcast.errors import FieldError, InvalidData, InvalidInput
from perfcast.serving import Answer, Predictor
from perfcast.tables import Column, TextTable
from perfcast.tables._arrow import decoded, is_number, is_text, plain

_LARGEST_GROWTH = 20
"""Times its own size that a body may unpack to."""
_SMALL_BYTES = 1_000_000
"""Smaller bodies may grow as if they had this size."""
_EXTRA_LINES = 100
"""Lines beside the rows: names, comments, and an empty one at the end."""
_BATCH_ROWS = 65_536
_LONGEST_TEXT = 200
"""Bytes of a text: times and the names of choices are shorter."""


def read_table(form: str, body: bytes | bytearray, most_rows: int) -> Question:
    """Read a body.

    Args:
        form: Its media type.
        body: Its bytes; columns refer to them where they can.
        most_rows: Most rows of a batch.

    Raises:
        InvalidInput: It can't be read.
        TooManyRows: It is too long.
    """
    try:
        table, text = _lines(body, most_rows) if form == CSV else (_table(form, body, most_rows), None)
        table.validate(full=form != CSV)  # what a caller wrote may point outside its buffers
    except InvalidData as error:
        raise InvalidInput.of("body", str(error).removeprefix("body: ")) from None
    except (pa.ArrowException, OSError):  # a stream that ends early is an OSError
        raise InvalidInput.of("body", f"can't be read as {form}; it is damaged, cut off, or of another form") from None
    return _question(table, most_rows, text)


def _question(table: pa.Table, most_rows: int, text: TextTable | None) -> Question:
    if table.num_rows > most_rows:
        raise TooManyRows(most_rows)
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise InvalidInput([FieldError(name, "is there twice") for name in twice])
    if text is None:  # in a text file each row has its own texts, some of which may stand in comments
        for name in table.column_names:
            _check_texts(name, table.column(name))
    columns = {name: _column(table.column(name)) for name in table.column_names}
    return Question(columns, *_asked(table.schema.metadata or {}), text)


def _table(form: str, body: bytes | bytearray, most_rows: int) -> pa.Table:
    whole = pa.py_buffer(body)
    if form == ARROW:
        refuse_compressed(whole)
        with pa.ipc.open_stream(whole) as stream:
            _check_kinds(stream.schema)
            return _bounded(stream, stream.schema, most_rows, _LARGEST_GROWTH * max(len(body), _SMALL_BYTES))
    file = pq.ParquetFile(pa.BufferReader(whole))
    _check_kinds(file.schema_arrow)
    texts = [field.name for field in file.schema_arrow if is_text(field.type)]
    file = pq.ParquetFile(pa.BufferReader(whole), read_dictionary=texts)  # a text stays once, however often it comes
    size = sum(file.metadata.row_group(group).total_byte_size for group in range(file.metadata.num_row_groups))
    most_bytes = _LARGEST_GROWTH * max(len(body), _SMALL_BYTES)
    if file.metadata.num_rows > most_rows or size > most_bytes:
        raise TooManyRows(most_rows)
    return _bounded(file.iter_batches(batch_size=_BATCH_ROWS), file.schema_arrow, most_rows, most_bytes)


def _lines(body: bytes | bytearray, most_rows: int) -> tuple[pa.Table, TextTable]:
    """The rows of a text file, whose lines are counted before any is parsed, and the file."""
    ends = max(body.count(b"\n"), body.count(b"\r"))
    if ends > most_rows + _EXTRA_LINES:
        raise TooManyRows(most_rows)
    text = TextTable(lambda: pa.BufferReader(pa.py_buffer(body)), "body")
    table = pa.Table.from_batches(text.batches(), text.schema)
    for refusal in text.ragged:
        rows = ", ".join(map(str, refusal.rows[:5].tolist()))
        raise InvalidInput.of("body", f"{refusal.message} (row {rows}, counted from 0)")
    return table, text


def _bounded(batches: Iterable[pa.RecordBatch], schema: pa.Schema, most_rows: int, most_bytes: int) -> pa.Table:
    """The batches as a table, unless they turn out to be more than was announced."""
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        rows += batch.num_rows
        size += batch.nbytes
        if rows > most_rows or size > most_bytes:
            raise TooManyRows(most_rows)
        held.append(batch)
    return pa.Table.from_batches(held, schema)


def _asked(metadata: dict[bytes, bytes]) -> tuple[str | None, float | None]:
    name, coverage = metadata.get(b"model_name"), metadata.get(b"coverage")
    try:
        return None if name is None else name.decode(), None if coverage is None else float(coverage)
    except ValueError:
        raise InvalidInput.of("coverage", "the schema's metadata must be text and a number") from None


def _column(column: pa.ChunkedArray) -> Column:
    """A column as it is read: NumPy's view of numbers, which is a copy only where values are missing or in batches."""
    single = decoded(column)
    return plain(single) if is_number(single.type) and not pa.types.is_boolean(single.type) else single


def _check_kinds(schema: pa.Schema) -> None:
    """Refuse columns of values that hold others, before they are read."""
    for field in schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not (pa.types.is_primitive(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind) or is_text(kind)):
            raise InvalidInput.of(field.name, f"expected numbers or text, got {field.type}")


def _check_texts(name: str, column: pa.ChunkedArray) -> None:
    """Refuse long texts, of which a few would fill the memory once each row has its own."""
    for chunk in column.chunks:
        values = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        if not is_text(values.type):
            return
        longest = _longest(values)
        if longest > _LONGEST_TEXT:
            raise InvalidInput.of(name, f"a text has {longest:,} bytes; at most {_LONGEST_TEXT} are read")


def _longest(texts: pa.Array) -> int:
    """Bytes of the longest text."""
    if not pa.types.is_string_view(texts.type):
        return int(pc.max(pc.binary_length(texts)).as_py() or 0)
    views = np.frombuffer(
        texts.buffers()[1] or b"", dtype="<i4"
    )  # four numbers a text, of which the first is its length
    return int(views[4 * texts.offset : 4 * (texts.offset + len(texts)) : 4].max(initial=0))


def write_table(form: str, predictor: Predictor, coverage: float, answers: Sequence[Answer]) -> Iterator[bytes]:
    """The answer as a table: the cost, `lower`, `upper`, `extrapolated`."""
    schema = _schema(form, predictor, coverage)
    sink = io.BytesIO()
    with _writer(form, sink, schema) as writer:
        for answer in answers:
            writer.write_batch(pa.record_batch(_arrays(form, predictor, answer), schema=schema))
            yield from _taken(sink)
    yield from _taken(sink)


def _taken(sink: io.BytesIO) -> Iterator[bytes]:
    """What was written since the last call; nothing is kept."""
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    if data:
        yield data


def _schema(form: str, predictor: Predictor, coverage: float) -> pa.Schema:
    outside = pa.string() if form == CSV else pa.list_(pa.string())
    numbers = [(predictor.workload.cost.name, pa.float32()), ("lower", pa.float32()), ("upper", pa.float32())]
    about = {
        "model_name": predictor.model,
        "model_type": predictor.type,
        "model_version": str(predictor.number),
        "coverage": str(coverage),
        "unit": predictor.workload.cost.unit,
    }
    return pa.schema([*numbers, ("extrapolated", outside)], metadata=about)


def _writer(form: str, sink: io.BytesIO, schema: pa.Schema) -> Any:
    if form == CSV:
        return pa.csv.CSVWriter(sink, schema)
    return pa.ipc.new_stream(sink, schema) if form == ARROW else pq.ParquetWriter(sink, schema)


def _arrays(form: str, predictor: Predictor, answer: Answer) -> list[pa.Array]:
    count = len(answer.cost)
    bounds = [
        pa.nulls(count, pa.float32()) if side is None else pa.array(side) for side in (answer.lower, answer.upper)
    ]
    outside = answer.extrapolated
    offsets = np.concatenate([[0], np.cumsum(outside.sum(axis=1))]).astype(np.int32)
    names = pa.array(predictor.workload.feature_names, pa.string()).take(pa.array(np.nonzero(outside)[1]))
    lists = pa.ListArray.from_arrays(pa.array(offsets), names)
    return [pa.array(answer.cost), *bounds, pc.binary_join(lists, ";") if form == CSV else lists]
