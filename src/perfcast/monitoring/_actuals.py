"""True costs that were told: kept so that each counts once, and joined with what was predicted."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from perfcast.monitoring._records import Record
from perfcast.storage import in_parts, insert_all_new, schema, time_text

actual = schema.actual


class Actual(NamedTuple):
    """A true cost.

    Attributes:
        key: What counts once: the prediction's id, or a time and a digest of what was given.
        prediction: Id of the prediction that it belongs to.
        value: In the cost's unit.
        measured_at: ISO 8601, UTC; None where nobody said.
    """

    key: str
    prediction: str
    value: float
    measured_at: str | None = None


class Kept(NamedTuple):
    """An actual that was given before under the same key: the prediction that it belongs to, and its value."""

    prediction: str
    value: float


class Joined(NamedTuple):
    """The true cost of a prediction, and the version that made that; `measured_at` as ISO 8601, UTC."""

    prediction: str
    value: float
    measured_at: str
    model: str
    version: int


class Waiting(NamedTuple):
    """An actual whose prediction hasn't been looked for, or found."""

    id: int
    prediction: str
    value: float
    measured_at: str | None
    received_at: str


def kept_actuals(connection: sa.Connection, names: Sequence[str]) -> dict[str, Kept]:
    """What was given before under each of these names, which are keys or the identifiers of predictions.

    What was refused counts as never given.
    """
    found: dict[str, Kept] = {}
    for some in in_parts(names):
        query = sa.select(actual.c.key, actual.c.prediction, actual.c.value)
        named = sa.or_(actual.c.key.in_(some), actual.c.prediction.in_(some))
        query = query.where(named, actual.c.state != "refused")
        for key, prediction, value in connection.execute(query):
            found[key] = found[prediction] = Kept(prediction, value)
    return found


def keep_actuals(connection: sa.Connection, given: Sequence[Actual], received_at: str) -> dict[str, Kept]:
    """Keep actuals of different keys, but for those that were given before; gives what stands for these, by key."""
    rows = [one._asdict() | {"received_at": received_at, "state": "waiting"} for one in given]
    new = insert_all_new(connection, actual, rows, actual.c.key)
    return kept_actuals(connection, [one.key for one in given if one.key not in new])


def waiting_actuals(connection: sa.Connection, after: int, limit: int) -> list[Waiting]:
    """Some that wait, of those that came after the one with that id, in the order in which they came."""
    c = actual.c
    query = sa.select(c.id, c.prediction, c.value, c.measured_at, c.received_at)
    query = query.where(c.state == "waiting", c.id > after).order_by(c.id).limit(limit)
    return [Waiting(*row) for row in connection.execute(query)]


def still_waiting(connection: sa.Connection, ids: Sequence[int]) -> set[int]:
    """Which of these wait."""
    c = actual.c
    return {
        number
        for some in in_parts(ids)
        for number in connection.execute(sa.select(c.id).where(c.id.in_(some), c.state == "waiting")).scalars()
    }


def join_actuals(connection: sa.Connection, joined: Sequence[tuple[Waiting, Record, bool]]) -> None:
    """Keep beside each actual what was predicted, and whether it is joined or refused.

    One that is refused leaves its key, so that the right value may still be told.
    """
    if not joined:
        return
    names = ("model", "version", "arm", "predicted", "lower", "upper", "coverage", "measured_at", "state")
    values: dict[str, object] = {name: sa.bindparam(f"new_{name}") for name in names}
    values["key"] = sa.func.coalesce(sa.bindparam("new_key"), actual.c.key)
    rows = []
    for one, record, possible in joined:
        told = (record.model, record.version, record.arm, record.cost, record.lower, record.upper, record.coverage)
        new = (*told, one.measured_at or record.at, "joined" if possible else "refused")
        key = None if possible else f"refused {one.id}"
        rows.append(
            {f"new_{name}": value for name, value in zip(names, new, strict=True)} | {"which": one.id, "new_key": key}
        )
    connection.execute(sa.update(actual).where(actual.c.id == sa.bindparam("which")).values(values), rows)


def joined_actuals(connection: sa.Connection, predictions: Sequence[str]) -> list[Joined]:
    """The true costs of those of the predictions where they are known."""
    c, found = actual.c, list[Joined]()
    for some in in_parts(predictions):
        query = sa.select(c.prediction, c.value, c.measured_at, c.model, c.version)
        rows = connection.execute(query.where(c.prediction.in_(some), c.state == "joined"))
        found += [Joined(*row) for row in rows]
    return found


def give_up(connection: sa.Connection, until: datetime) -> int:
    """No longer wait for predictions of actuals that came before; gives how many they are."""
    statement = sa.update(actual).where(actual.c.state == "waiting", actual.c.received_at < time_text(until))
    return connection.execute(statement.values(state="unmatched")).rowcount
