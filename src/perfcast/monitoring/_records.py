"""What is recorded of each prediction, and how many of them lie in the database together.

A row for each prediction would compete with the predictions themselves for the processor and the interpreter's lock. So
records are kept in blocks, one row for those of one version in one arm.
"""

import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

import msgspec
import sqlalchemy as sa

from perfcast.manifest import DEFAULT_COVERAGE
from perfcast.storage import schema

MINUTE = 7
"""Digits at the beginning of identifiers that those of one block share: they come from the same 65 seconds.

So who looks for a prediction need look at the blocks of those seconds only.
"""
_LEVEL = 1
_MOST = 1_000
"""Of one block: few enough that encoding them holds up the thread that answers for less than half a millisecond."""
_by_id = attrgetter("id")
_at = attrgetter("at")
_kind = attrgetter("model", "version", "arm")


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One prediction; thousands may wait, so the garbage collector is spared them.

    Attributes:
        id: Unique within an arm; sorts by time.
        model, version: Who answered.
        row: One number a feature, in the order of the version's workload.
        cost, lower, upper: The answer, in the cost's unit; the bounds are None where there were none.
        at: ISO 8601, UTC, with microseconds.
        arm: As whom the version answered: `champion` or `challenger`, chosen for the caller; `named` by the caller; or
            `shadow`, beside the answer with the same id.
        coverage: What the interval was to hold.
        spread: How far the model's members disagreed; None where its graph doesn't say.
    """

    id: str
    model: str
    version: int
    row: Sequence[float]
    cost: float
    lower: float | None
    upper: float | None
    at: str
    arm: str = "champion"
    coverage: float = DEFAULT_COVERAGE
    spread: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its bounds, where they are of the coverage that is compared."""
        if self.coverage != DEFAULT_COVERAGE or self.lower is None or self.upper is None:
            return None
        return self.lower, self.upper


_decoder = msgspec.msgpack.Decoder(list[Record])


def write_records(connection: sa.Connection, records: Sequence[Record]) -> None:
    """Keep records, given in any order, in blocks, each of one version, arm and minute, which wait to be looked at."""
    parts = (records[start : start + _MOST] for start in range(0, len(records), _MOST))
    blocks = [block for part in parts for block in _blocks(part)]
    if blocks:
        connection.execute(schema.prediction_block.insert(), blocks)


def unpack(records: bytes) -> list[Record]:
    """The records of a block, by id."""
    return _decoder.decode(zlib.decompress(records))


def read_records(connection: sa.Connection) -> Iterator[Record]:
    """Every record, block by block, the oldest block first; within a block by id."""
    table = schema.prediction_block
    for (held,) in connection.execute(sa.select(table.c.records).order_by(table.c.first_id, table.c.arm)):
        yield from unpack(held)


def _blocks(records: Sequence[Record]) -> Iterator[dict[str, object]]:
    kinds = set(map(_kind, records))
    for kind in kinds:
        held = list(records) if len(kinds) == 1 else [record for record in records if _kind(record) == kind]
        for minute in _minutes(held):
            yield _block(*kind, minute)


def _minutes(records: list[Record]) -> list[list[Record]]:
    """The records by id, those of each minute apart; nearly always that is one, so that no record is looked at."""
    records.sort(key=_by_id)
    if records[0].id[:MINUTE] == records[-1].id[:MINUTE]:
        return [records]
    return [list(held) for _, held in groupby(records, key=lambda record: record.id[:MINUTE])]


def _block(model: str, version: int, arm: str, records: list[Record]) -> dict[str, object]:
    """The row of records that are in order."""
    moments = list(map(_at, records))
    packed = zlib.compress(msgspec.msgpack.encode(records), _LEVEL)
    return {
        "model": model,
        "version": version,
        "arm": arm,
        "first_id": records[0].id,
        "last_id": records[-1].id,
        "first_at": min(moments),
        "last_at": max(moments),
        "count": len(records),
        "records": packed,
        "bytes": len(packed),
    }
