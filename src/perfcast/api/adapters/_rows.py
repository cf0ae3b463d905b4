"""Rows in another server's form, answered as `/predict/batch` answers a list of bodies."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool

from perfcast.api.batch import JSON, Batches, BatchReply
from perfcast.api.http._problems import TooManyRows
from perfcast.errors import InvalidInput
from perfcast.manifest import COVERAGES
from perfcast.serving import Follower, Key, Reader, parse_object

Kind = TypeVar("Kind")
_BESIDE = ("lower", "upper", "extrapolated")


class Asked(NamedTuple):
    """What is asked.

    Attributes:
        where: The field that holds the rows.
        rows: Each an object of features, or a list of values.
        names: Features of the lists' values; None for all, in declared order.
        reference: A model reference; None for the default model of the workload that the features belong to.
        coverage: Of the intervals, as it was given; None for the usual.
    """

    where: str
    rows: Sequence[object]
    names: Sequence[str] | None = None
    reference: str | None = None
    coverage: object = None


async def answered(follower: Follower, batches: Batches, asked: Asked, key: Key) -> dict[str, Any]:
    """Answer rows, all of them or none, with the document that `_answers.Predictions` describes.

    Raises:
        InvalidInput: Names the rows that are wrong, counted from 0.
        PerfcastError: The model can't be had.
        TooManyRows: There are more than a batch may have.
    """
    if not asked.rows or asked.names == []:
        raise InvalidInput.of(asked.where, "give at least one row and one column")
    if len(asked.rows) > batches.most_rows:
        raise TooManyRows(batches.most_rows)
    if asked.coverage is not None and asked.coverage not in COVERAGES:
        raise InvalidInput.of("coverage", f"expected one of {', '.join(map(str, COVERAGES))}")
    reference, reader = await _model(follower, asked, key)
    body = await run_in_threadpool(_bodies, asked, reference, reader)
    with batches.room(len(body)):
        reply = await batches.answer(body, content_type=JSON, accept=JSON, query={}, key=key, whole=asked.where)
        return await run_in_threadpool(_of_list, reply, reader.workload.cost.name)


def whole(reply: BatchReply) -> dict[str, Any]:
    """The answer to columns, as `answered` gives it."""
    document = msgspec.json.decode(b"".join(reply.pieces))
    columns = document["columns"]
    (cost,) = columns.keys() - set(_BESIDE)
    return _document(columns.pop(cost), columns, document)


def parsed(body: bytes | bytearray, kind: type[Kind], told: str) -> Kind:
    """A JSON body as it must be; `told` says what that is.

    Raises:
        InvalidInput: It is something else.
    """
    try:
        return msgspec.convert(parse_object(body), kind)
    except msgspec.ValidationError as error:
        raise InvalidInput.of("body", f"{told}: {error}") from None


async def _model(follower: Follower, asked: Asked, key: Key) -> tuple[str, Reader]:
    """The model that is asked for, loaded where it wasn't, and the reader of its features."""
    if asked.reference is None:
        names = asked.names or (asked.rows[0] if isinstance(asked.rows[0], dict) else ())
        if not names:
            raise InvalidInput.of("model_name", "is required where rows don't name their features")
        workload = follower.routes.bodies.reader_of(names).workload.name
        slot = follower.routes.pick(None, workload, key).slot
        return slot.model, slot.reader
    arm = follower.routes.arm(asked.reference)
    if arm is not None:
        return asked.reference, arm.slot.reader
    return asked.reference, (await follower.fetched(asked.reference)).reader


def _bodies(asked: Asked, reference: str, reader: Reader) -> bytes:
    """A list of `/predict` bodies."""
    beside = {"model_name": reference, "coverage": asked.coverage}
    names = asked.names or reader.workload.feature_names
    items = []
    for place, row in enumerate(asked.rows):
        given = dict(zip(names, row, strict=True)) if isinstance(row, list) and len(row) == len(names) else row
        if not isinstance(given, dict):
            told = f"expected an object of features, or a list of {len(names)} values: {', '.join(names)}"
            raise InvalidInput.of(f"{asked.where}[{place}]", told)
        items.append({**beside, "features": {name: _sendable(value) for name, value in given.items()}})
    try:
        return msgspec.json.encode(items)
    except UnicodeEncodeError:
        raise InvalidInput.of(asked.where, "holds half a character (a lone surrogate), which is no text") from None


def _sendable(value: object) -> object:
    """The value; as text where JSON has no such number, so that it is refused by its name."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _of_list(reply: BatchReply, cost: str) -> dict[str, Any]:
    results = msgspec.json.decode(b"".join(reply.pieces))["results"]
    columns = {name: [result[name] for result in results] for name in _BESIDE}
    return _document([result[cost] for result in results], columns, results[0])


def _document(predictions: list[Any], beside: Mapping[str, list[Any]], about: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: about[name] for name in ("model_name", "model_version", "coverage")}
    return {"predictions": predictions, **{name: beside[name] for name in _BESIDE}, **facts}
