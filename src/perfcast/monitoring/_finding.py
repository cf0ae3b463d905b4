"""Records looked for by the identifiers of their predictions."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from itertools import groupby
from typing import NamedTuple

import sqlalchemy as sa

from perfcast.monitoring._records import MINUTE, Record, unpack
from perfcast.storage import in_parts, schema

_BEYOND = "g"
"""Sorts behind every digit."""

_block = schema.prediction_block.c
_QUERY = sa.select(_block.id, _block.model, _block.first_id, _block.last_id).where(
    _block.last_id >= sa.bindparam("first"),
    _block.last_id < sa.bindparam("beyond"),
    _block.first_id <= sa.bindparam("last"),
)
"""The blocks that may hold some predictions; made once, since to make it takes longer than to run it."""


class Found(NamedTuple):
    """A record and the number of its block."""

    record: Record
    block: int


def find_records(connection: sa.Connection, names: Collection[str]) -> Iterator[Found]:
    """The records of these predictions, those of shadows too, in no order."""
    wanted = frozenset(names)
    for some in in_parts([number for number, *_ in _blocks(connection, wanted)]):
        for number, records in connection.execute(sa.select(_block.id, _block.records).where(_block.id.in_(some))):
            yield from (Found(record, number) for record in unpack(records) if record.id in wanted)


def models_of(connection: sa.Connection, names: Collection[str]) -> dict[str, set[str]]:
    """The models that may have answered each of these predictions, as far as their blocks' ends tell; quick."""
    models: dict[str, set[str]] = {}
    for _, model, some in _blocks(connection, names):
        for name in some:
            models.setdefault(name, set()).add(model)
    return models


def _blocks(connection: sa.Connection, names: Collection[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Number and model of each block that may hold some of these, and which those are."""
    for prefix, group in groupby(sorted(set(names)), key=lambda name: name[:MINUTE]):
        asked = list(group)
        bounds = {"first": asked[0], "last": asked[-1], "beyond": prefix + _BEYOND}
        for number, model, first, last in connection.execute(_QUERY, bounds):
            if some := asked[bisect_left(asked, first) : bisect_right(asked, last)]:
                yield number, model, some
