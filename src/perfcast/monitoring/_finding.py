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
        for number, first, last in connection.execute(_query(prefix, some)):
            if bisect_left(some, first) < bisect_right(some, last):
                yield number


def _query(prefix: str, names: Sequence[str]) -> sa.Select[int, str, str]:
    block = schema.prediction_block.c
    ends_in_time = sa.and_(block.last_id >= names[0], block.last_id < prefix + _BEYOND)
    return sa.select(block.id, block.first_id, block.last_id).where(ends_in_time, block.first_id <= names[-1])
