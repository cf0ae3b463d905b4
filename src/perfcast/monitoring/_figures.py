"""What watching has come to, in a few numbers: read every few seconds by who shows metrics, so all of it is quick."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

import msgspec
import sqlalchemy as sa
import structlog

from perfcast.manifest import DEFAULT_COVERAGE
from perfcast.storage import schema, time_text

WINDOWS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
"""How far live accuracy looks back."""
_FIVE_MINUTES = timedelta(minutes=5)
Arm: TypeAlias = tuple[str, str, int]
"""Model, arm and version."""

log = structlog.stdlib.get_logger("perfcast.monitoring")


class Accuracy(NamedTuple):
    """How true an arm's predictions were in a window; None where nothing is known of it.

    Attributes:
        mae, bias, width: In the cost's unit; bias is predicted - true, width the mean of intervals at 0.9.
        mape, coverage: Percent.
    """

    mae: float | None
    mape: float | None
    bias: float | None
    coverage: float | None
    width: float | None


class Backlog(NamedTuple):
    """What waits for a worker.

    Attributes:
        actuals: True costs that wait to be joined.
        actuals_since: When the oldest of them came; None where none waits.
        blocks_since: When the oldest block was written that nobody has looked at; None where there is none.
    """

    actuals: int
    actuals_since: str | None
    blocks_since: str | None


class Drifting(msgspec.Struct, frozen=True):
    """What is known of a model's drift.

    Attributes:
        state: By kind, whether it drifts.
        alarms: By kind, how often it has begun to.
        scores: By feature (or by kind, where it is about the cost), the greatest statistic ÷ its threshold.
    """

    state: Mapping[str, bool]
    alarms: Mapping[str, int]
    scores: Mapping[str, float]


def live_accuracy(connection: sa.Connection, window: timedelta, now: datetime) -> dict[Arm, Accuracy]:
    """How true the predictions of a window were, whose first five minutes are whole ones."""
    table = schema.live_accuracy.c
    sums = [sa.func.sum(column).label(column.name) for column in table if not column.primary_key]
    query = sa.select(table.model, table.arm, table.version, *sums).group_by(table.model, table.arm, table.version)
    rows = connection.execute(query.where(table.at > time_text(now - window - _FIVE_MINUTES)))
    return {(row["model"], row["arm"], row["version"]): _accuracy(row) for row in rows.mappings()}


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
    actual, block, queue = schema.actual.c, schema.prediction_block.c, schema.unobserved_block.c
    waiting = actual.state == "waiting"
    oldest = sa.select(actual.received_at).where(waiting).order_by(actual.id).limit(1)
    unseen = sa.select(block.last_at).join(schema.unobserved_block, queue.block == block.id).order_by(queue.block)
    return Backlog(
        connection.scalar(sa.select(sa.func.count()).select_from(schema.actual).where(waiting)) or 0,
        connection.scalar(oldest),
        connection.scalar(unseen.limit(1)),
    )


def corrections(connection: sa.Connection) -> dict[tuple[str, int], tuple[float, float]]:
    """How far the bounds at 0.9 are moved, lower and upper, of versions that have had an alias since they are."""
    row, alias = schema.correction.c, schema.alias.c
    since = (alias.model == row.model) & (alias.number == row.version) & (alias.updated_at == row.since)
    query = sa.select(row.model, row.version, row.state["shown"].label("shown")).join(schema.alias, since)
    found = {}
    for model, version, shown in connection.execute(query):
        means = ((shown or {}).get("means") or {}).get(str(DEFAULT_COVERAGE))
        if means is not None:
            found[model, version] = (float(means[0]), float(means[1]))
    return found


def drifting(connection: sa.Connection) -> dict[str, Drifting]:
    """What is known of each watched model's drift."""
    table, found = schema.watched.c, {}
    for model, findings in connection.execute(sa.select(table.model, table.findings)):
        try:
            found[model] = _drifting(findings)
        except (KeyError, TypeError, msgspec.ValidationError) as error:  # written by another Perfcast beside this one
            log.warning("findings can't be read", model=model, reason=f"{type(error).__name__}: {error}")
    return found


def _drifting(findings: Mapping[str, object]) -> Drifting:
    listed = msgspec.convert(findings.get("findings", []), Sequence[Mapping[str, object]])
    scores: dict[str, float] = {}
    for one in listed:
        name = str(one.get("feature") or one["kind"])
        scores[name] = max(msgspec.convert(one["score"], float), scores.get(name, 0.0))
    return msgspec.convert(
        {"state": findings.get("state", {}), "alarms": findings.get("alarms", {}), "scores": scores}, Drifting
    )


def _actuals(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[Arm, int]:
    table = schema.live_accuracy.c
    query = sa.select(table.model, table.arm, table.version, sa.func.sum(table.actuals)).where(which)
    rows = connection.execute(query.group_by(table.model, table.arm, table.version))
    return {(model, arm, version): int(count) for model, arm, version, count in rows}


def _accuracy(sums: sa.RowMapping) -> Accuracy:
    def mean(what: str, count: str, times: int = 1) -> float | None:
        return times * float(sums[what]) / int(sums[count]) if sums[count] else None

    return Accuracy(
        mae=mean("absolute", "actuals"),
        mape=mean("percent", "percents"),
        bias=mean("error", "actuals"),
        coverage=mean("covered", "judged_intervals", 100),
        width=mean("width", "intervals"),
    )
