"""Columns as JSON, in and out; long lists are cut, so that no single call holds the interpreter for long."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from perfcast.api.batch._forms import Question
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._numbers import rounded
from perfcast.api.http._problems import TooManyRows
from perfcast.errors import InvalidInput
from perfcast.serving import Answer, Predictor
from perfcast.tables import Column

_COMMA = re.compile(rb",")
_PIECE_BYTES = 65_536
"""Of a column, decoded without giving way to other threads: about a millisecond."""
_encode = msgspec.json.Encoder().encode


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    columns: dict[str, msgspec.Raw]
    model_name: str | None = None
    coverage: float | None = None


_decode = msgspec.json.Decoder(_Body).decode


def read_columns(body: bytes | bytearray, most_rows: int) -> Question:
    """Read a body.

    Raises:
        InvalidInput: It is not as documented.
        TooManyRows: It is too long.
    """
    try:
        asked = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        told = f"expected a list of /predict bodies, or an object with 'columns', lists by feature: {error}"
        raise InvalidInput.of("body", told) from None
    columns = {name: _column(name, memoryview(raw), most_rows) for name, raw in asked.columns.items()}
    return Question(columns, asked.model_name, asked.coverage)


def _column(name: str, raw: memoryview, most_rows: int) -> Column:
    count = 0
    parts: list[npt.NDArray[Any]] = []
    for piece in pieces(raw, _COMMA, _PIECE_BYTES):
        values = _values(piece)
        if values is None:
            raise InvalidInput.of(name, "expected a list of numbers (or of text where values are text)")
        parts.append(values)
        count += len(values)
        if count > most_rows:
            raise TooManyRows(most_rows)
    if any(part.dtype == object for part in parts):
        return np.concatenate([part.astype(object) for part in parts])
    return np.concatenate(parts) if parts else np.zeros(0)


def _values(piece: bytes) -> npt.NDArray[Any] | None:
    """The piece's values as numbers where all are, else as objects; None where it is no list."""
    for kind in (list[float], list[float | None]):
        try:
            return np.array(msgspec.json.decode(piece, type=kind), dtype=np.float64)
        except msgspec.MsgspecError:
            continue
    try:
        values = msgspec.json.decode(piece, type=list[Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def write_columns(predictor: Predictor, coverage: float, answers: Sequence[Answer]) -> Iterator[bytes]:
    """The answer as one JSON object whose `columns` are lists."""
    rows = sum(len(answer.cost) for answer in answers)
    about = {
        "model_name": predictor.model,
        "model_type": predictor.type,
        "model_version": predictor.number,
        "coverage": coverage,
        "total_requests": rows,
        "successful_predictions": rows,
        "timestamp": timestamp(),
        "status": "success",
    }
    yield _encode(about)[:-1] + b',"columns":{'
    names = predictor.workload.feature_names
    columns: dict[str, Callable[[Answer], list[Any]]] = {
        predictor.workload.cost.name: lambda answer: rounded(answer.cost),
        "lower": lambda answer: [None] * len(answer.cost) if answer.lower is None else rounded(answer.lower),
        "upper": lambda answer: [None] * len(answer.cost) if answer.upper is None else rounded(answer.upper),
        "extrapolated": lambda answer: names_outside(answer.extrapolated, names),
    }
    begin = b""
    for name, part in columns.items():
        yield begin + _encode(name) + b":"
        yield from written(map(part, answers))
        begin = b","
    yield b"}}"


def written(parts: Iterable[list[Any]]) -> Iterator[bytes]:
    """The parts joined to one JSON list, written part by part."""
    begin = b"["
    for part in parts:
        if part:
            yield begin + _encode(part)[1:-1]
            begin = b","
    yield b"]" if begin == b"," else b"[]"


def names_outside(outside: npt.NDArray[np.bool_], names: tuple[str, ...]) -> list[list[str]]:
    """For each row the names of the features that are outside the trained range."""
    none: list[str] = []
    told = [none] * len(outside)
    for row in np.flatnonzero(outside.any(axis=1)).tolist():
        told[row] = [names[position] for position in np.flatnonzero(outside[row]).tolist()]
    return told


_BLANK = b" \t\r\n"


def pieces(text: bytes | bytearray | memoryview, separator: re.Pattern[bytes], size: int) -> Iterator[bytes]:
    """The text of a JSON list as shorter lists; joined, they are the list.

    The cut is where the separator's comma is, and may fall into a string or an inner list. If it does, a piece is no
    JSON. Whenever each piece is a list by itself, their joined items are the list's items, by JSON's grammar.

    Args:
        text: JSON text; where it isn't in brackets, it is given back whole.
        separator: What stands between two items, with one comma.
        size: Least bytes of a piece.
    """
    view = memoryview(text)
    begin, end = 0, len(view)
    while begin < end and view[begin] in _BLANK:
        begin += 1
    while end > begin and view[end - 1] in _BLANK:
        end -= 1
    if end - begin < 2 or view[begin] != 0x5B or view[end - 1] != 0x5D:
        yield bytes(view)
        return
    begin, end = begin + 1, end - 1
    while (match := separator.search(view, min(begin + size, end), end)) is not None:
        comma = match.start() + match.group().index(b",")
        yield b"[" + view[begin:comma] + b"]"
        begin = comma + 1
    yield b"[" + view[begin:end] + b"]"
