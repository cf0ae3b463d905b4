"""Records looked for by the identifiers of their predictions."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, TypeVar

import sqlalchemy as sa

from perfcast.monitoring._records import MINUTE, Record, unpack
from perfcast.storage import in_parts, schema

_T = TypeVar("_T")
_BEYOND = "g"
"""Sorts behind every digit."""


class Found(NamedTuple):
    """A record and the number of its block."""

    record: Record
    block: int


def find_records(connection: sa.Connection, names: Collection[str]) -> Iterator[Found]:
    """The records of these predictions, those of shadows too, in no order."""
    wanted = frozenset(names)
    block = schema.prediction_block.c
    for some in in_parts(list(_blocks(connection, wanted))):
        for number, records in connection.execute(sa.select(block.id, block.records).where(block.id.in_(some))):
            yield from (Found(record, number) for record in unpack(records) if record.id in wanted)


def _blocks(connection: sa.Connection, names: Collection[str]) -> Iterator[int]:
    """Blocks that may hold some of these."""
    for prefix, group in groupby(sorted(names), key=lambda name: name[:MINUTE]):
        some = list(group)
        for number, first, last in connection.execute(_query(prefix, some, schema.prediction_block.c.id)):
            if bisect_left(some, first) < bisect_right(some, last):
                yield number


def models_of(connection: sa.Connection, names: Collection[str]) -> dict[str, set[str]]:
    """The models that may have answered each of these predictions, as far as their blocks' ends tell; quick."""
    block = schema.prediction_block.c
    models: dict[str, set[str]] = {}
    for prefix, group in groupby(sorted(set(names)), key=lambda name: name[:MINUTE]):
        some = list(group)
        for model, first, last in connection.execute(_query(prefix, some, block.model)):
            for name in some[bisect_left(some, first) : bisect_right(some, last)]:
                models.setdefault(name, set()).add(model)
    return models


def _query(prefix: str, names: Sequence[str], what: sa.Column[_T]) -> sa.Select[_T, str, str]:
    """Something of the blocks that may hold some of the names, sorted and of one prefix; and these blocks' ends."""
    block = schema.prediction_block.c
    ends_in_time = sa.and_(block.last_id >= names[0], block.last_id < prefix + _BEYOND)
    return sa.select(what, block.first_id, block.last_id).where(ends_in_time, block.first_id <= names[-1])
