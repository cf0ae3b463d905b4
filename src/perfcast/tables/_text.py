"""Text files: how one is written is taken from its own first kilobytes, and every column is read as text."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import zip_longest
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidData
from perfcast.workloads import Refusal

_HEAD = 65_536
_LINES = 50
"""Lines of the head that are looked at for separators."""
_BLOCK = 1 << 22
"""Bytes that are parsed at a time: no row may be longer."""
_END = "#\x7fend"
"""Begins a row that is put below all: where it isn't found again, a quotation mark before it isn't closed."""
_SEPARATORS = {",": "','", ";": "';'", "\t": "tabs", "|": "'|'"}
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_COMMA = re.compile(r"[+-]?\d*,\d+")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_POINT = re.compile(r"[+-]?(\d*\.(?!\d{3}$)\d+|(0\d*|\d{4,})?\.\d{3})")
"""Not `1.234`, which may be thousands."""


@dataclass(frozen=True)
class Dialect:
    """How a text file is written."""

    names: tuple[str, ...]  # of its columns
    skipped: int  # lines above the first row
    commented: bool  # whether the names stand in a line that begins with `#`
    comments: int  # other lines above the first row that begin with `#`
    encoding: str
    separator: str  # between columns
    sample: Sequence[Sequence[str]]  # cells of its first rows

    def decimal_of(self, numbers: Collection[str]) -> str:
        """What stands before decimals in columns of numbers: a comma where some have it for sure, and none a point.

        Empty where the sample has neither.
        """
        rows = [zip_longest(self.names, row[: len(self.names)], fillvalue="") for row in self.sample]
        cells = [cell.strip() for row in rows for name, cell in row if name in numbers]
        commas = any(_COMMA.fullmatch(cell) and not _THOUSANDS.fullmatch(cell) for cell in cells)
        points = any(_POINT.fullmatch(cell) for cell in cells)
        return "." if points else "," if commas else ""


def dialect_of(head: bytes, *, whole: bool, name: str) -> Dialect:
    """How a file that begins with these bytes is written; `whole` says that they are all.

    Raises:
        InvalidData: It has no line of names.
    """
    encoding = _encoding(head)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    lines = re.split(r"\r\n|\n|\r", text)
    if not whole:
        if len(lines) == 1:
            raise InvalidData(f"{name}: the line of names is longer than {_HEAD:,} bytes")
        lines.pop()
    told = re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\r ")) if lines else None
    skipped = 1 if told else 0
    while skipped < len(lines) and (not lines[skipped].strip() or lines[skipped].startswith("#")):
        skipped += 1
    if skipped == len(lines):
        raise InvalidData(f"{name}: is empty; expected a line with the names of columns, and rows below it")
    body = [line for line in lines[skipped : skipped + _LINES] if line.strip() and not line.startswith("#")]
    separator = told[1] if told and told[1] in _SEPARATORS else _separator(body)
    cells = [_split(line, separator) for line in body]
    comments = [_split(line.lstrip("# "), separator) for line in reversed(lines[:skipped]) if line.startswith("#")]
    above = next((line for line in comments if len(line) == len(cells[0]) and _are_names(line, cells[0])), None)
    cells = [above or cells[0], *cells[above is None :]]
    names = tuple(cell.strip() or f"column {number}" for number, cell in enumerate(cells[0], start=1))
    count = len(comments) - (above is not None)
    return Dialect(names, skipped + (above is None), above is not None, count, encoding, separator, cells[1:])


def _are_names(line: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a comment holds the names of columns: it has no numbers, as the line below has, and no empty cell."""

    def numeric(cell: str) -> bool:
        return bool(re.fullmatch(r"[-+.,:/TZ\s\d]*\d[-+.,:/TZ\s\d]*([eE][-+]?\d+)?\s*%?\s*", cell))

    return any(map(numeric, below)) and not any(numeric(cell) or not cell.strip() for cell in line)


def _encoding(head: bytes) -> str:
    marked = next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), None)
    if marked:
        return marked
    sample = head[: len(head) // 2 * 2]
    for at, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if sample and sample[at::2].count(0) > len(sample) // 4:
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _separator(lines: Sequence[str]) -> str:
    """By which the names are most, and other lines have as many."""

    def fits(separator: str) -> tuple[int, int]:
        counts = [len(_split(line, separator)) for line in lines]
        return (0, 0) if counts[0] == 1 else (sum(count == counts[0] for count in counts), counts[0])

    return max(_SEPARATORS, key=fits)


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [""])


class TextTable:
    """The rows of a text file, read piece by piece.

    Args:
        opened: Opens its bytes, unpacked, from the beginning; called twice.
        name: What people know it as.
        size: How many bytes these are, where that is known.

    Attributes:
        decimal: What stands before decimals, after `read_as`; empty where its first lines don't tell.
        notes: What was remarkable, and in how many rows.

    Raises:
        InvalidData: It has no line of names.
    """

    group_rows: ClassVar[None] = None

    def __init__(self, opened: Callable[[], Any], name: str, size: int = 0) -> None:
        with opened() as stream:
            head = stream.read(_HEAD)
        self._opened, self._name, self._size = opened, name, size
        self._dialect = dialect_of(head, whole=len(head) < _HEAD, name=name)
        self._size //= 2 if self._dialect.encoding.startswith("utf-16") else 1  # as it is parsed
        self.names, self.decimal = self._dialect.names, "."
        self._ragged: list[tuple[int, str]] = []
        self._comments, self._hashes = 0, list[int]()
        self._commented = False
        self.notes: Counter[str] = Counter()

    def read_as(self, numbers: Collection[str], choices: Collection[str]) -> None:
        """Say which columns are numbers, which alone tell decimal commas, and choices, where `#` is no comment."""
        self.decimal, self._commented = self._dialect.decimal_of(numbers), self.names[0] not in choices

    def rows_in(self, firsts: Any) -> Any:
        """Where rows are no comments, by their first cells; None where all are rows."""
        import pyarrow.compute as pc

        if not self._commented:
            return None
        rows = pc.invert(pc.starts_with(pc.utf8_ltrim_whitespace(firsts), "#")).fill_null(True)  # noqa: FBT003
        return None if pc.all(rows).as_py() else rows

    def note_comments(self, count: int) -> None:
        """Note the comments: so many with as many cells as names, and what else begins with #."""
        self.notes["a line that begins with # is a comment"] = self._dialect.comments + self._comments + count
        self.notes = +self.notes  # without what is 0

    @property
    def words(self) -> str:
        """How it is written."""
        decimals = ", decimal commas" if self.decimal == "," else ""
        encoding = self._dialect.encoding.removesuffix("-sig").upper()
        return f"{_SEPARATORS[self._dialect.separator]} between columns{decimals}, {encoding}"

    @property
    def schema(self) -> Any:
        """Of its columns: all are text."""
        import pyarrow as pa

        return pa.schema([(name, pa.string()) for name in self.names])

    def batches(self) -> Iterator[Any]:
        """Its rows as Arrow's batches of text; rows with more or fewer columns than names are left out (`ragged`).

        Raises:
            InvalidData: It can't be read on.
        """
        import pyarrow as pa

        rows, ended, self._parsed = 0, False, 0
        self._ragged, self._comments, self._hashes, self.notes = [], 0, [], Counter()
        try:
            with self._opened() as raw, self._reader(raw) as reader:
                for batch in reader:
                    self._parsed = min(self._parsed + _BLOCK, self._stream.read_bytes)  # it reads some blocks ahead
                    ended = batch.num_rows > 0 and batch.column(0)[-1].as_py() == _END
                    taken = self._without_comments(batch.slice(0, batch.num_rows - ended), rows)
                    rows += taken.num_rows
                    self._note_breaks(taken)
                    if taken.num_rows:
                        yield taken
            if self._dialect.commented:
                self.notes["the names of the columns stand in a line that begins with #"] = 1
            self.note_comments(len(self._hashes))
            if not ended:
                where = f"row {rows + len(self._ragged)} (counted from 1)"
                raise InvalidData(f"{self._name}: a quotation mark is not closed in {where}; close or remove it")
        except (pa.ArrowException, UnicodeError) as error:
            raise InvalidData(f"{self._name}: {_problem(error, rows, self._dialect.skipped)}") from None

    def _reader(self, raw: Any) -> Any:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        stream = raw if self._dialect.encoding.startswith("utf-8") else pa.transcoding_input_stream(
            raw, self._dialect.encoding, "utf-8"
        )  # fmt: skip
        self._stream = _Ended(stream, f"\n{_END}{self._dialect.separator * (len(self.names) - 1)}\n".encode())
        kinds = dict.fromkeys(self.names, pa.string())
        return arrow_csv.open_csv(
            self._stream,
            arrow_csv.ReadOptions(
                column_names=self.names, skip_rows=self._dialect.skipped, use_threads=False, block_size=_BLOCK
            ),
            arrow_csv.ParseOptions(
                delimiter=self._dialect.separator, newlines_in_values=True, invalid_row_handler=self._pass_over
            ),
            arrow_csv.ConvertOptions(column_types=kinds, strings_can_be_null=True, null_values=[""]),
        )

    def _without_comments(self, batch: Any, before: int) -> Any:
        kept = self.rows_in(batch.column(0))
        if kept is None:
            return batch
        self._hashes += (np.flatnonzero(~kept.to_numpy(zero_copy_only=False)) + before + len(self._hashes)).tolist()
        return batch.filter(kept)

    def _note_breaks(self, batch: Any) -> None:
        """Count rows of which a cell holds a break and what could be a row's cells after it."""
        import pyarrow.compute as pc

        inside = rf"[\r\n](?s:.*{re.escape(self._dialect.separator)}){{{min(len(self.names) - 1, _LINES)}}}"
        broken = [column for column in batch.columns if self._stream.quoted and _has_breaks(column)]
        found = [pc.match_substring_regex(column, inside).fill_null(False) for column in broken]  # noqa: FBT003
        if found and (count := pc.sum(reduce(pc.or_, found)).as_py()):
            self.notes["a line break and cells after it are one cell's text; is a quotation mark not closed?"] += count

    def _pass_over(self, row: Any) -> str:
        if row.text.lstrip().startswith("#"):
            self._comments += 1
        else:
            told = f"has {row.actual_columns} columns where {row.expected_columns} have names, got {row.text[:40]!r}"
            self._ragged.append((row.number - self._dialect.skipped - 1 - self._comments, told))
        return "skip"

    @property
    def ragged(self) -> list[Refusal]:
        """Rows that were left out, by their number counted from 0."""
        numbers, found = self._left_out(), dict[str, list[int]]()
        for at, (_, told) in enumerate(self._ragged):
            found.setdefault(told.partition(", got ")[0], []).append(at)
        return [Refusal("row", self._ragged[places[0]][1], numbers[places]) for places in found.values()]

    def _left_out(self) -> npt.NDArray[np.int64]:
        rows = np.array([row for row, _ in self._ragged], dtype=np.int64)
        return rows - np.searchsorted(self._hashes, rows - np.arange(len(rows)))

    def numbered(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The numbers of rows in the file, from their places among those that were given."""
        left_out = self._left_out()
        return rows + np.searchsorted(left_out - np.arange(len(left_out)), rows, side="right")

    def expected(self, rows: int) -> int | None:
        """About how many rows there are, when so many were read; None where the file's size isn't known."""
        return round(rows * self._size / self._parsed) if self._size else None

    def close(self) -> None:
        """Nothing stays open between batches."""


def _has_breaks(texts: Any) -> bool:
    held = texts.buffers()[2]
    return held is not None and any(mark in held.to_pybytes() for mark in (b"\n", b"\r"))


class _Ended(io.RawIOBase):
    """A stream with something below its end; knows how many bytes were read, and whether a quotation mark was."""

    def __init__(self, stream: Any, end: bytes) -> None:
        super().__init__()
        self._stream, self._end, self.quoted, self.read_bytes = stream, end, False, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Some bytes; none when also the end is read."""
        data: bytes = self._stream.read(size)
        self.quoted, self.read_bytes = self.quoted or b'"' in data, self.read_bytes + len(data)
        if not data:
            data, self._end = self._end, b""
        return data


def _problem(error: Exception, rows: int, skipped: int) -> str:
    named = re.search(r"Row #(\d+)", str(error))
    where = f"row {int(named[1]) - skipped} (counted from 1)" if named else f"some row after {rows:,}"
    if isinstance(error, UnicodeError) or "UTF8" in str(error):
        return f"{where} holds bytes that are no text; save it as UTF-8"
    if "straddling" in str(error) or "block size" in str(error):
        return f"{where} is longer than {_BLOCK:,} bytes; is a quotation mark not closed?"
    return f"{where} can't be read; the file is damaged or cut off"
