"""Bounds on the records of predictions: so many days, and so many bytes."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import sqlalchemy as sa
import structlog

from perfcast.monitoring._archive import Archive
from perfcast.monitoring._history import FeaturesOf, features_of_all, records_of
from perfcast.monitoring._table import RecordTable
from perfcast.storage import Database, alone, schema, time_text

_FEW, _FEW_BYTES = 100, 1_000_000
"""Blocks of one transaction, and bytes of them: some milliseconds, in which nobody else writes."""
_PAUSE_SECONDS = 0.005
_MANY, _MANY_BYTES = 5_000, 64_000_000
"""Blocks, and bytes of them, that are chosen at a time, and go into one file at most."""
_LEFT = 0.95
"""Share of the bytes that is left where there are too many, so that deletions come together."""
_BLOCK = schema.prediction_block.c

log = structlog.stdlib.get_logger("perfcast.monitoring")


class _Chosen(NamedTuple):
    """A block that may leave, and the day of its newest record."""

    block: int
    model: str
    version: int
    day: str
    bytes: int


class Retention:
    """Deletes records that are too old, or too many; the oldest first, a few at a time.

    A block stays, whatever its age, while nobody has looked at it, and while a true cost waits that may belong to it.
    What is left over the bound for that reason leaves as soon as a worker has looked.

    Args:
        database: Where the records are.
        days: How long they stay.
        most_bytes: How many bytes of them, as they are kept; 0 for no bound.
        archive: Where they go before they leave; None: nowhere. With one, whole days leave.
        features_of: Names the archive's columns.
    """

    def __init__(
        self, database: Database, *, days: float, most_bytes: int, archive: Archive | None, features_of: FeaturesOf
    ) -> None:
        self._database, self._archive, self._features_of = database, archive, features_of
        self._days, self._most_bytes = timedelta(days=days), most_bytes

    def look(self, now: datetime | None = None) -> int:
        """Delete what must leave; gives how many blocks that were. Nothing where another process is at it."""
        moment = now or datetime.now(UTC)
        until = moment - self._days
        if self._archive is not None:
            until = until.replace(hour=0, minute=0, second=0, microsecond=0)
        with alone(self._database, "retention") as mine:
            deleted = self._delete_older(time_text(until)) + self._delete_excess() if mine else 0
        if deleted:
            log.info("deleted old records of predictions", blocks=deleted)
        return deleted

    def _delete_older(self, until: str) -> int:
        deleted = 0
        while chosen := self._choose(_BLOCK.last_at < until):
            gone = self._let_go(chosen)
            deleted += gone
            if gone < len(chosen):  # a true cost has come for one just now
                break
        return deleted

    def _delete_excess(self) -> int:
        if not self._most_bytes:
            return 0
        held = self._held_bytes()
        excess, deleted = held - self._most_bytes * _LEFT if held > self._most_bytes else 0, 0
        while excess > 0 and (chosen := self._choose(sa.true(), excess)):
            gone = self._let_go(chosen)
            deleted += gone
            excess -= sum(one.bytes for one in chosen)
            if gone < len(chosen):
                break
        if excess > 0:
            log.warning(
                "more records of predictions than PREDICTION_LOG_BYTES; nobody has looked at them", bytes=excess
            )
        return deleted

    def _held_bytes(self) -> int:
        with self._database.read() as connection:
            return int(connection.scalar(sa.select(sa.func.sum(_BLOCK.bytes))) or 0)

    def _choose(self, which: sa.ColumnElement[bool], most_bytes: float = _MANY_BYTES) -> list[_Chosen]:
        """The oldest of the blocks that may leave, up to so many bytes and one block more."""
        columns = (_BLOCK.id, _BLOCK.model, _BLOCK.version, _BLOCK.last_at, _BLOCK.bytes)
        query = sa.select(*columns).where(which, _may_leave()).order_by(_BLOCK.last_at, _BLOCK.bytes).limit(_MANY)
        chosen: list[_Chosen] = []
        left = min(most_bytes, _MANY_BYTES)
        with self._database.read() as connection:
            for number, model, version, last_at, size in connection.execute(query):
                chosen.append(_Chosen(number, model, version, last_at[:10], size))
                left -= size
                if left <= 0:
                    break
        return chosen

    def _let_go(self, chosen: Sequence[_Chosen]) -> int:
        if self._archive is not None:
            of_day = itemgetter(1, 3)
            for (model, day), blocks in groupby(sorted(chosen, key=lambda one: (*of_day(one), one.block)), key=of_day):
                self._keep(self._archive, model, day, list(blocks))
        return self._delete(chosen)

    def _keep(self, archive: Archive, model: str, day: str, chosen: Sequence[_Chosen]) -> None:
        held = archive.held(model, day, [one.block for one in chosen])
        new = [one for one in chosen if one.block not in held]
        if new:
            kinds = {(one.model, one.version) for one in new}
            table = RecordTable(features_of_all(self._database, sorted(kinds), self._features_of))
            blocks = [one.block for one in new]
            path = archive.write(model, day, blocks, table.schema, table.tables(records_of(self._database, blocks)))
            log.info("wrote old records of predictions", path=path, blocks=len(blocks))

    def _delete(self, chosen: Sequence[_Chosen]) -> int:
        deleted = 0
        for few in _in_parts(chosen):
            some = _BLOCK.id.in_(few)
            with self._database.begin() as connection:
                deleted += connection.execute(sa.delete(schema.prediction_block).where(some, _may_leave())).rowcount
            time.sleep(_PAUSE_SECONDS)
        return deleted


def _in_parts(chosen: Sequence[_Chosen]) -> Iterator[list[int]]:
    few, size = list[int](), 0
    for one in chosen:
        few.append(one.block)
        size += one.bytes
        if len(few) >= _FEW or size >= _FEW_BYTES:
            yield few
            few, size = [], 0
    if few:
        yield few


def _may_leave() -> sa.ColumnElement[bool]:
    """Blocks that somebody has looked at, and that no true cost waits for."""
    actual, block = schema.actual.c, schema.prediction_block.alias().c
    unseen = sa.select(block.id).where(~block.observed)  # few, by their index
    mine = actual.prediction.between(_BLOCK.first_id, _BLOCK.last_id)
    waited_for = sa.exists().where(actual.state == "waiting", mine)
    return _BLOCK.id.not_in(unseen) & ~waited_for
