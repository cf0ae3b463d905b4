"""Looks at what was predicted and at what turned out true, each once, and tells those who follow it."""

import time
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import sqlalchemy as sa
import structlog

from perfcast.errors import Unavailable
from perfcast.monitoring._actuals import (
    Joined,
    Waiting,
    give_up,
    join_actuals,
    joined_actuals,
    still_waiting,
    waiting_actuals,
)
from perfcast.monitoring._finding import Found, find_records
from perfcast.monitoring._judged import Judged, Watcher, parted
from perfcast.monitoring._records import Record, unpack
from perfcast.monitoring._versions import VersionOf, costs_of
from perfcast.registry import SHADOW
from perfcast.storage import Database, alone, schema, take_turns

_WORD = "watching"
_MOST_RECORDS = 20_000
"""Of one transaction, so that those who write predictions don't wait for it long."""
_MOST_BLOCKS = 200
_MOST_ACTUALS = 2_000
_SOON = timedelta(seconds=60)
_LATER_SECONDS = 600.0

log = structlog.stdlib.get_logger("perfcast.monitoring")


class Observer:
    """Takes blocks of predictions off their queue, finds the predictions that actuals belong to, tells watchers.

    What is found and what watchers write is one transaction, so each prediction and each actual is told once, whoever
    dies; of several observers one at a time is at it. A watcher that fails misses what it was told then; it is logged,
    and the others go on. An actual is looked for at each look for a minute, since predictions are written behind, and
    then every ten minutes.

    A shadow's record often comes after the actual was joined with the record that the caller got; then its judgement
    follows when the record does. An actual that the cost can't be is refused, and told to nobody.

    Args:
        database: Where predictions and actuals are.
        watchers: Told in this order; one that has a method `after` is called so after each transaction.
        version_of: Gives versions, whose workloads say what the cost can be.
        wait_hours: How long an actual waits for its prediction before it counts as unmatched.
    """

    def __init__(
        self, database: Database, watchers: Sequence[Watcher], version_of: VersionOf, *, wait_hours: float = 24.0
    ) -> None:
        self._database, self._watchers = database, watchers
        self._cost_of = costs_of(version_of)
        self._wait = timedelta(hours=wait_hours)
        self._later = 0.0
        self._from = 0
        self._failed: dict[str, str] = {}

    def look(self) -> int:
        """Look at all that has come since the last time; gives how many predictions and actuals that were.

        Nothing where another observer is at it.
        """
        with alone(self._database, _WORD) as mine:
            return self._look() if mine else 0

    def _look(self) -> int:
        seen = 0
        while count := self._observe():
            seen += count
        everything = time.monotonic() >= self._later
        after = self._from = 0 if everything else self._from
        while waiting := self._some_waiting(after):
            seen += self._join(waiting)
            after = waiting[-1].id
        if everything:
            self._give_up()
            self._later = time.monotonic() + _LATER_SECONDS
        return seen

    def _observe(self) -> int:
        """Tell of some blocks that nobody has looked at; gives how many records were in them."""
        with self._database.read() as connection:
            blocks = _some_blocks(connection)
        if not blocks:
            return 0
        unpacked = {number: _unpacked(number, records) for number, records in blocks}
        with self._database.begin() as connection:
            take_turns(connection, _WORD)
            block = schema.prediction_block
            taken = sa.update(block).where(block.c.id.in_(unpacked), ~block.c.observed).values(observed=True)
            mine = taken.returning(block.c.id)
            records = [one for number in sorted(connection.execute(mine).scalars()) for one in unpacked[number]]
            judged = _late_shadows(connection, records)
            self._tell(connection, lambda watcher: watcher.predicted(connection, records))
            if judged:
                self._tell(connection, lambda watcher: watcher.judged(connection, judged))
        self._after()
        return max(1, len(records))

    def _some_waiting(self, after: int) -> list[Waiting]:
        with self._database.read() as connection:
            waiting = waiting_actuals(connection, after, _MOST_ACTUALS)
        old = datetime.now(UTC) - _SOON
        for one in waiting:
            if datetime.fromisoformat(one.received_at) >= old:
                break
            self._from = max(self._from, one.id)
        return waiting

    def _join(self, waiting: Sequence[Waiting]) -> int:
        """Join those whose predictions are there, and tell of them; gives how many that were."""
        with self._database.read() as connection:
            found = list(find_records(connection, [one.prediction for one in waiting]))
        if not found:
            return 0
        answers = {one.record.id: one.record for one in found if one.record.arm != SHADOW}
        with self._database.begin() as connection:
            take_turns(connection, _WORD)
            present = still_waiting(connection, [one.id for one in waiting])
            mine = [one for one in waiting if one.id in present and one.prediction in answers]
            joined = [(one, answer := answers[one.prediction], self._possible(answer, one.value)) for one in mine]
            join_actuals(connection, joined)
            shadows = _observed_shadows(connection, found)
            judged = [
                Judged(record, one.value, one.measured_at or record.at, record.arm == SHADOW and _alike(record, answer))
                for one, answer, possible in joined
                if possible
                for record in (answer, *shadows.get(one.prediction, ()))
            ]
            if judged:
                judged.sort(key=lambda one: one.at)
                self._tell(connection, lambda watcher: watcher.judged(connection, judged))
        self._after()
        return len(mine)

    def _possible(self, record: Record, value: float) -> bool:
        """Whether the cost can be that."""
        cost = self._cost_of(record.model, record.version)
        return cost is None or cost.minimum <= value <= cost.maximum

    def _give_up(self) -> None:
        until = datetime.now(UTC) - self._wait
        with self._database.read() as connection:
            first = waiting_actuals(connection, 0, 1)
        if not first or datetime.fromisoformat(first[0].received_at) >= until:
            return
        with self._database.begin() as connection:
            count = give_up(connection, until)
        if count:
            log.warning("actuals without a prediction", actuals=count, waited_hours=self._wait / timedelta(hours=1))

    def _tell(self, connection: sa.Connection, tell: Callable[[Watcher], None]) -> None:
        for watcher in self._watchers:
            name = type(watcher).__name__
            try:
                with connection.begin_nested():
                    tell(watcher)
                self._failed.pop(name, None)
            except (sa.exc.SQLAlchemyError, Unavailable):  # the database's affair: all is tried again
                raise
            except Exception as error:  # one watcher's mistake must not blind the others
                reason = f"{type(error).__name__}: {error}"
                if self._failed.get(name) != reason:
                    log.exception("a watcher failed", watcher=name, reason=reason)
                self._failed[name] = reason

    def _after(self) -> None:
        for watcher in self._watchers:
            after = getattr(watcher, "after", None)
            if after is not None:
                after()


def _some_blocks(connection: sa.Connection) -> list[tuple[int, bytes]]:
    """Number and records of some blocks that wait to be looked at, the first ones."""
    block = schema.prediction_block.c
    query = sa.select(block.id, block.count).where(~block.observed)
    chosen, rows = [], 0
    for number, count in connection.execute(query.order_by(block.id).limit(_MOST_BLOCKS)):
        chosen.append(number)
        rows += count
        if rows >= _MOST_RECORDS:
            break
    read = sa.select(block.id, block.records).where(block.id.in_(chosen)).order_by(block.id)
    return [(number, records) for number, records in connection.execute(read)]


def _unpacked(number: int, records: bytes) -> list[Record]:
    """A block's records; none where it can't be read."""
    try:
        return unpack(records)
    except (msgspec.MsgspecError, zlib.error) as error:
        log.error("a block of predictions can't be read", block=number, reason=str(error))
        return []


def _late_shadows(connection: sa.Connection, records: Sequence[Record]) -> list[Judged]:
    """Judgements of shadows' records that come after their actual was joined."""
    shadows = parted([record for record in records if record.arm == SHADOW], lambda record: record.id)
    known = joined_actuals(connection, list(shadows))
    judged = [
        Judged(record, one.value, one.measured_at, _alike(record, one))
        for one in known
        for record in shadows[one.prediction]
    ]
    return sorted(judged, key=lambda one: one.at)


def _alike(record: Record, answer: Record | Joined) -> bool:
    """Whether both are of one version."""
    return (record.model, record.version) == (answer.model, answer.version)


def _observed_shadows(connection: sa.Connection, found: Sequence[Found]) -> dict[str, list[Record]]:
    """Shadows' records by the prediction's id; without those that wait to be looked at, which are judged then."""
    theirs = [one for one in found if one.record.arm == SHADOW]
    blocks = {one.block for one in theirs}
    its = schema.prediction_block.c
    waiting = sa.select(its.id).where(its.id.in_(blocks), ~its.observed)
    late = set(connection.execute(waiting).scalars()) if blocks else set()
    return parted([one.record for one in theirs if one.block not in late], lambda record: record.id)
