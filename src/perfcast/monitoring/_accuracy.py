"""Live accuracy as it is read: over windows of time, by model, version and arm."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from perfcast.monitoring._live import begin_of
from perfcast.storage import schema, time_text

WINDOWS: Mapping[str, timedelta | None] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "all": None,
}
"""How far back each window goes; `all` as far as there is anything."""
live = schema.live_accuracy.c
_SUMS = tuple(column for column in schema.live_accuracy.c if not column.primary_key)


class Arm(NamedTuple):
    """A version of a model, and as whom it answered."""

    model: str
    version: int
    arm: str


class Accuracy(msgspec.Struct, frozen=True):
    """How true predictions turned out in a window of time; None where there was nothing to tell it by.

    Attributes:
        predictions: How many were made in it.
        extrapolated: Percent of them with a feature outside what the version was trained on.
        width: Mean width of their intervals at 0.9, in the cost's unit.
        actuals: How many true costs were measured in it.
        mae, rmse, bias: In the cost's unit; the bias is predicted - actual.
        mape: Percent of the true cost, over those that aren't 0.
        coverage: Percent of true costs inside their intervals at 0.9.
    """

    predictions: int
    extrapolated: float | None
    width: float | None
    actuals: int
    mae: float | None
    rmse: float | None
    bias: float | None
    mape: float | None
    coverage: float | None


def read_accuracy(
    connection: sa.Connection,
    model: str | None = None,
    version: int | None = None,
    *,
    whole: bool = True,
    now: datetime | None = None,
) -> dict[Arm, dict[str, Accuracy]]:
    """Live accuracy by window, of every arm that predicted or was judged: of all models, of one, or of one's version.

    A window begins with the five minutes in which it would begin to the second. What is older than the longest is left
    out of `all` unless the `whole` is asked for, which takes longer as years go by.
    """
    present = now or datetime.now(UTC)
    begins = {name: begin_of(time_text(present - length)) for name, length in WINDOWS.items() if length}
    oldest = min(begins.values())
    queries = [_query(model, version, begins).where(live.at >= oldest)]
    if whole:  # by itself: so the database adds up years without sorting them
        queries.append(_query(model, version, {}).where(live.at < oldest))
    parts: dict[Arm, dict[str, list[float]]] = {}
    for row in (row for query in queries for row in connection.execute(query)):
        parts.setdefault(Arm(row.model, row.version, row.arm), {})[row.part] = [float(value) for value in row[4:]]
    return {arm: dict(_windows(parts[arm])) for arm in sorted(parts)}


def _query(model: str | None, version: int | None, begins: Mapping[str, str]) -> sa.Select[*tuple[Any, ...]]:
    """The sums of each arm in parts that don't overlap, each named by the shortest window that it belongs to."""
    arm = (live.model, live.version, live.arm)
    shortest = [(live.at >= begin, name) for name, begin in begins.items()]
    part = (sa.case(*shortest) if shortest else sa.literal("all")).label("part")
    query = sa.select(*arm, part, *(sa.func.sum(column).label(column.name) for column in _SUMS))
    if model is not None:
        query = query.where(live.model == model)
    if version is not None:
        query = query.where(live.version == version)
    return query.group_by(*arm, part) if shortest else query.group_by(*arm)


def _windows(parts: Mapping[str, list[float]]) -> Iterator[tuple[str, Accuracy]]:
    sums = [0.0] * len(_SUMS)
    for name in WINDOWS:
        if name in parts:
            sums = [total + more for total, more in zip(sums, parts[name], strict=True)]
        yield name, _accuracy(dict(zip((column.name for column in _SUMS), sums, strict=True)))


def _accuracy(sums: Mapping[str, float]) -> Accuracy:
    def mean(what: str, count: str) -> float | None:
        return sums[what] / sums[count] if sums[count] else None

    squared = mean("squared", "actuals")
    return Accuracy(
        predictions=int(sums["predictions"]),
        extrapolated=_percent(mean("extrapolated", "predictions")),
        width=mean("width", "intervals"),
        actuals=int(sums["actuals"]),
        mae=mean("absolute", "actuals"),
        rmse=None if squared is None else sqrt(squared),
        bias=mean("error", "actuals"),
        mape=mean("percent", "percents"),
        coverage=_percent(mean("covered", "judged_intervals")),
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
