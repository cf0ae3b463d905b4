"""Recorded predictions, a few blocks at a time: no reader holds the database up, however many there are."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import sqlalchemy as sa

from perfcast.monitoring._records import Record, unpack
from perfcast.storage import Database, schema

_TOGETHER = 100
"""Blocks of one query; each holds up to a thousand records."""
_BLOCK = schema.prediction_block.c
Kind: TypeAlias = tuple[str, int]
"""Model and version."""
FeaturesOf: TypeAlias = Callable[[str, int], Sequence[str] | None]
"""Gives a version's features, in the order of its rows; None where there is no such version any more."""


class Selection(NamedTuple):
    """Some of what was predicted.

    Attributes:
        model: Whose; None for all.
        since, until: From when, and before when: ISO 8601, UTC, as the database keeps times; None for no bound.
    """

    model: str | None = None
    since: str | None = None
    until: str | None = None

    def takes(self, record: Record) -> bool:
        """Whether it is of these times."""
        return (self.since is None or record.at >= self.since) and (self.until is None or record.at < self.until)

    @property
    def blocks(self) -> sa.ColumnElement[bool]:
        """Blocks that may have some of it."""
        parts: list[sa.ColumnElement[bool]] = [sa.true()]
        if self.model is not None:
            parts.append(_BLOCK.model == self.model)
        if self.since is not None:
            parts.append(_BLOCK.last_at >= self.since)
        if self.until is not None:
            parts.append(_BLOCK.first_at < self.until)
        return sa.and_(*parts)


class Extent(NamedTuple):
    """What a selection comes to.

    Attributes:
        records: In the blocks that have some of it; a little more than it is.
        kinds: Whose they are.
    """

    records: int
    kinds: Sequence[Kind]


def extent(database: Database, selection: Selection) -> Extent:
    """How much there is of a selection, and of whom."""
    query = sa.select(_BLOCK.model, _BLOCK.version, sa.func.sum(_BLOCK.count)).where(selection.blocks)
    with database.read() as connection:
        rows = connection.execute(query.group_by(_BLOCK.model, _BLOCK.version)).all()
    return Extent(sum(int(row[2]) for row in rows), sorted((row[0], row[1]) for row in rows))


def selected(database: Database, selection: Selection) -> Iterator[tuple[int, list[Record]]]:
    """The records of a selection, block by block in the order in which they were written.

    With each comes how many records its block has. What is written or deleted meanwhile may be among them, or not.
    """
    after = 0
    while rows := _read(database, (_BLOCK.id > after) & selection.blocks):
        for number, count, records in rows:
            yield count, [record for record in unpack(records) if selection.takes(record)]
            after = number


def features_of_all(database: Database, kinds: Iterable[Kind], features_of: FeaturesOf) -> dict[Kind, Sequence[str]]:
    """The features of versions; those of one that was deleted are called `feature_1`, `feature_2` and so on."""
    return {kind: features_of(*kind) or _numbered(database, kind) for kind in kinds}


def records_of(database: Database, blocks: Sequence[int]) -> Iterator[list[Record]]:
    """The records of blocks, given in order of their numbers."""
    for start in range(0, len(blocks), _TOGETHER):
        for _, _, records in _read(database, _BLOCK.id.in_(blocks[start : start + _TOGETHER])):
            yield unpack(records)


def _numbered(database: Database, kind: Kind) -> Sequence[str]:
    rows = _read(database, (_BLOCK.model == kind[0]) & (_BLOCK.version == kind[1]), most=1)
    return [f"feature_{number}" for _, _, held in rows for number, _ in enumerate(unpack(held)[0].row, 1)]


def _read(database: Database, which: sa.ColumnElement[bool], most: int = _TOGETHER) -> Sequence[tuple[int, int, bytes]]:
    query = sa.select(_BLOCK.id, _BLOCK.count, _BLOCK.records).where(which).order_by(_BLOCK.id).limit(most)
    with database.read() as connection:
        return [(number, count, records) for number, count, records in connection.execute(query)]
