"""What waits for a worker, and how many actuals there ever were: read every few seconds, so both are quick."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from perfcast.monitoring._accuracy import Arm
from perfcast.storage import schema, time_text


class Backlog(NamedTuple):
    """What waits for a worker.

    Attributes:
        actuals: True costs that wait to be joined.
        blocks_since: When the oldest block was written that nobody has looked at; None where there is none.
    """

    actuals: int
    blocks_since: str | None


class KnownActuals:
    """Counts the predictions whose true costs are known; what is older than nine days is read once a day."""

    def __init__(self) -> None:
        self._until, self._before = "", dict[Arm, int]()

    def read(self, connection: sa.Connection, now: datetime) -> dict[Arm, int]:
        """How many there are of each arm."""
        until = time_text(datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=8))
        if until != self._until:
            self._until, self._before = until, _actuals(connection, schema.live_accuracy.c.at < until)
        newer = _actuals(connection, schema.live_accuracy.c.at >= until)
        return {arm: self._before.get(arm, 0) + newer.get(arm, 0) for arm in self._before.keys() | newer.keys()}


def backlog(connection: sa.Connection) -> Backlog:
    """What waits for a worker just now."""
    actual, block = schema.actual.c, schema.prediction_block.c
    waiting = actual.state == "waiting"
    unseen = sa.select(block.last_at).where(~block.observed).order_by(block.id)
    return Backlog(
        connection.scalar(sa.select(sa.func.count()).select_from(schema.actual).where(waiting)) or 0,
        connection.scalar(unseen.limit(1)),
    )


def _actuals(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[Arm, int]:
    table = schema.live_accuracy.c
    query = sa.select(table.model, table.version, table.arm, sa.func.sum(table.actuals)).where(which)
    rows = connection.execute(query.group_by(table.model, table.version, table.arm))
    return {Arm(model, version, arm): int(count) for model, version, arm, count in rows}
