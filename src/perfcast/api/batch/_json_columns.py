"""Columns as JSON, in and out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from perfcast.api.batch._forms import Question
from perfcast.api.batch._pieces import pieces
from perfcast.api.batch._rounding import rounded
from perfcast.api.http._identifiers import timestamp
from perfcast.api.http._problems import TooManyRows
from perfcast.errors import FieldError, InvalidInput
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
        message = f"expected a list of /predict bodies, or an object with 'columns', lists by feature: {error}"
        raise InvalidInput([FieldError("body", message)]) from None
    columns = {name: _column(name, memoryview(raw), most_rows) for name, raw in asked.columns.items()}
    return Question(columns, asked.model_name, asked.coverage)


def _column(name: str, raw: memoryview, most_rows: int) -> Column:
    count = 0
    parts: list[npt.NDArray[Any]] = []
    for piece in pieces(raw, _COMMA, _PIECE_BYTES):
        values = _values(piece)
        if values is None:
            raise InvalidInput([FieldError(name, "expected a list of numbers (or of text where values are text)")])
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
    yield from _list(predictor.workload.cost.name, (rounded(answer.cost) for answer in answers))
    for name in ("lower", "upper"):
        yield b","
        yield from _list(name, (_side(answer, name) for answer in answers))
    yield b","
    yield from _list("extrapolated", (names_outside(answer.extrapolated, names) for answer in answers))
    yield b"}}"


def _side(answer: Answer, name: str) -> list[Any]:
    bounds = getattr(answer, name)
    return [None] * len(answer.cost) if bounds is None else rounded(bounds)


def _list(name: str, parts: Iterable[list[Any]]) -> Iterator[bytes]:
    begin = _encode(name) + b":["
    for part in parts:
        if part:
            yield begin + _encode(part)[1:-1]
            begin = b","
    yield b"]" if begin == b"," else begin + b"]"


def names_outside(outside: npt.NDArray[np.bool_], names: tuple[str, ...]) -> list[list[str]]:
    """For each row the names of the features that are outside the trained range."""
    none: list[str] = []
    told = [none] * len(outside)
    for row in np.flatnonzero(outside.any(axis=1)).tolist():
        told[row] = [names[position] for position in np.flatnonzero(outside[row]).tolist()]
    return told
