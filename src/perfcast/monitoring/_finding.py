"""Records looked for by the identifiers of their predictions."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
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
    for some in in_parts(list(_blocks(connection, wanted))):
        for number, records in connection.execute(sa.select(_block.id, _block.records).where(_block.id.in_(some))):
            yield from (Found(record, number) for record in unpack(records) if record.id in wanted)


def _blocks(connection: sa.Connection, names: Collection[str]) -> Iterator[int]:
    """Blocks that may hold some of these."""
    for prefix, group in groupby(sorted(names), key=lambda name: name[:MINUTE]):
        some = list(group)
        for number, _, first, last in connection.execute(_QUERY, _bounds(prefix, some)):
            if bisect_left(some, first) < bisect_right(some, last):
                yield number


def _bounds(prefix: str, names: Sequence[str]) -> dict[str, str]:
    """What `_QUERY` asks for: names that are sorted and have one prefix."""
    return {"first": names[0], "last": names[-1], "beyond": prefix + _BEYOND}


def models_of(connection: sa.Connection, names: Collection[str]) -> dict[str, set[str]]:
    """The models that may have answered each of these predictions, as far as their blocks' ends tell; quick."""
    models: dict[str, set[str]] = {}
    for prefix, group in groupby(sorted(set(names)), key=lambda name: name[:MINUTE]):
        some = list(group)
        for _, model, first, last in connection.execute(_QUERY, _bounds(prefix, some)):
            for name in some[bisect_left(some, first) : bisect_right(some, last)]:
                models.setdefault(name, set()).add(model)
    return models
