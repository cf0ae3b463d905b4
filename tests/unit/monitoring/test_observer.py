"""Each prediction and each actual is told to watchers once, in whatever order they and their shadows come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.drafts import draft, weighted

from perfcast.monitoring import (
    Actual,
    Judged,
    Observer,
    Record,
    keep_actuals,
    kept_actuals,
    models_of,
    versions_of,
    write_records,
)
from perfcast.registry import Registry, Version
from perfcast.storage import Blobs, Database, now, schema, time_text
from perfcast.workloads import builtin_workloads

_numbers = count()
AT = "2026-03-01T00:00:00.000000Z"


class Listener:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.predictions: list[tuple[str, str]] = []
        self.truths: list[tuple[str, str, float, str]] = []
        self.again: list[bool] = []

    def predicted(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        self.predictions += [(record.id, record.arm) for record in records]

    def judged(self, connection: sa.Connection, judged: Sequence[Judged]) -> None:
        self.truths += [(one.record.id, one.record.arm, one.actual, one.at) for one in judged]
        self.again += [one.again for one in judged]


def version_of(model: str, number: int) -> Version | None:
    return None


def predict(database: Database, arm: str = "champion", name: str = "", at: str = AT, version: int = 2) -> str:
    name = name or f"{1_772_000_000_000 + next(_numbers) * 40_000:011x}0123abcd{0:07x}"
    with database.begin() as connection:
        write_records(connection, [Record(name, "m", version, [1.0], 5.0, 4.0, 6.0, at, arm)])
    return name


def tell(database: Database, name: str, value: float = 5.5, measured_at: str | None = None, ago: float = 0) -> None:
    received_at = time_text(datetime.now(UTC) - timedelta(seconds=ago))
    with database.begin() as connection:
        keep_actuals(connection, [Actual(name, name, value, measured_at)], received_at)


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(sa.select(schema.actual.c.state).order_by(schema.actual.c.id)).scalars())


def test_a_prediction_and_its_actual_are_told_once(database: Database) -> None:
    listener = Listener()
    observer = Observer(database, [listener], version_of)
    first, second = predict(database), predict(database)
    tell(database, second)
    assert observer.look() == 3
    assert observer.look() == 0
    assert listener.predictions == [(first, "champion"), (second, "champion")]
    assert listener.truths == [(second, "champion", 5.5, AT)]


def test_two_observers_tell_nothing_twice(database: Database) -> None:
    listener = Listener()
    tell(database, predict(database))
    for _ in range(2):
        Observer(database, [listener], version_of).look()
    assert (len(listener.predictions), len(listener.truths)) == (1, 1)


def test_what_was_predicted_is_kept_beside_the_actual(database: Database) -> None:
    tell(database, predict(database), 5.5, "2026-03-01T00:07:00.000000Z")
    tell(database, predict(database))
    Observer(database, [], version_of).look()
    c = schema.actual.c
    with database.read() as connection:
        query = sa.select(c.model, c.version, c.arm, c.predicted, c.lower, c.upper, c.coverage, c.measured_at, c.state)
        kept = connection.execute(query.order_by(c.id)).all()
    predicted = ("m", 2, "champion", 5.0, 4.0, 6.0, 0.9)
    assert list(map(tuple, kept)) == [(*predicted, "2026-03-01T00:07:00.000000Z", "joined"), (*predicted, AT, "joined")]


def test_an_actual_that_comes_before_its_prediction_is_written_waits_for_it(database: Database) -> None:
    listener = Listener()
    observer = Observer(database, [listener], version_of)
    name = predict(database)
    late = name[:-1] + "1"
    tell(database, late)
    observer.look()
    assert listener.truths == []
    predict(database, name=late)
    observer.look()
    assert listener.truths == [(late, "champion", 5.5, AT)]


def test_a_shadow_is_judged_beside_the_answer(database: Database) -> None:
    listener = Listener()
    name = predict(database)
    predict(database, "shadow", name)
    tell(database, name)
    Observer(database, [listener], version_of).look()
    assert sorted(listener.truths) == [(name, "champion", 5.5, AT), (name, "shadow", 5.5, AT)]


def test_a_shadow_that_comes_after_the_actual_was_joined_is_judged_then(database: Database) -> None:
    listener = Listener()
    observer = Observer(database, [listener], version_of)
    name = predict(database)
    tell(database, name, measured_at="2026-03-01T00:07:00.000000Z")
    observer.look()
    predict(database, "shadow", name)
    observer.look()
    observer.look()
    assert [truth[1:] for truth in listener.truths] == [
        ("champion", 5.5, "2026-03-01T00:07:00.000000Z"),
        ("shadow", 5.5, "2026-03-01T00:07:00.000000Z"),
    ]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("version", "again"), [(2, [False, True]), (3, [False, False])])
def test_a_version_that_is_its_own_shadow_is_told_so(
    database: Database, version: int, again: list[bool], *, late: bool
) -> None:
    listener = Listener()
    observer = Observer(database, [listener], version_of)
    name = predict(database)
    tell(database, name)
    if late:
        observer.look()
    predict(database, "shadow", name, version=version)
    observer.look()
    assert listener.again == again


def test_an_actual_that_the_cost_can_not_be_is_refused_and_told_to_nobody(database: Database, tmp_path: Path) -> None:
    cpu = builtin_workloads()["cpu-utilization"]
    registry = Registry(database, Blobs(str(tmp_path)))
    registry.add_all("m", [draft(cpu, weighted(cpu, request_rate=0.25))] * 2)
    listener, wrong = Listener(), predict(database)
    observer = Observer(database, [listener], versions_of(registry))
    tell(database, wrong, 130.0)
    tell(database, predict(database), 100.0)
    observer.look()
    assert states(database) == ["refused", "joined"]
    assert [truth[2] for truth in listener.truths] == [100.0]
    with database.read() as connection:
        assert kept_actuals(connection, [wrong]) == {}
    tell(database, wrong, 30.0)  # the right value, told afterwards
    observer.look()
    assert [truth[2] for truth in listener.truths] == [100.0, 30.0]


def test_of_two_observers_one_looks_at_a_time(database: Database) -> None:
    class Asking(Listener):
        def predicted(self, connection: sa.Connection, records: Sequence[Record]) -> None:
            super().predicted(connection, records)
            assert other.look() == 0

    asking = Asking()
    other = Observer(database, [Listener()], version_of)
    predict(database)
    assert Observer(database, [asking], version_of).look() == 1
    assert len(asking.predictions) == 1


def test_rows_of_one_request_are_told_apart(database: Database) -> None:
    listener = Listener()
    name = predict(database)
    for row in range(12):
        predict(database, name=f"{name}-{row}", at=f"2026-03-01T00:00:{row:02d}.000000Z")
    tell(database, f"{name}-3")
    tell(database, f"{name}-11")
    Observer(database, [listener], version_of).look()
    assert [truth[0] for truth in listener.truths] == [f"{name}-3", f"{name}-11"]


def test_an_actual_whose_prediction_never_comes_is_given_up(database: Database) -> None:
    listener = Listener()
    name = predict(database)
    tell(database, name, ago=3700)
    tell(database, name[:-1] + "7", ago=3700)
    tell(database, name[:-1] + "8")
    observer = Observer(database, [listener], version_of, wait_hours=1)
    observer.look()
    assert states(database) == ["joined", "unmatched", "waiting"]


def test_a_watcher_that_fails_is_undone_and_hinders_no_other(database: Database) -> None:
    class Failing(Listener):
        def predicted(self, connection: sa.Connection, records: Sequence[Record]) -> None:
            connection.execute(schema.prediction_block.update().values(observed=False))
            raise ValueError(f"it did not expect {len(records)}")

    listener = Listener()
    name = predict(database)
    observer = Observer(database, [Failing(), listener], version_of)
    assert observer.look() == 1
    assert observer.look() == 0
    assert listener.predictions == [(name, "champion")]


def test_after_each_transaction_watchers_may_act(database: Database) -> None:
    class Acting(Listener):
        acted = 0

        def after(self) -> None:
            self.acted += 1

    acting = Acting()
    tell(database, predict(database))
    Observer(database, [acting], version_of).look()
    assert acting.acted == 2


def test_a_block_that_is_broken_holds_nothing_up(database: Database) -> None:
    listener = Listener()
    predict(database)
    with database.begin() as connection:
        connection.execute(schema.prediction_block.update().values(records=b"broken"))
    name = predict(database)
    Observer(database, [listener], version_of).look()
    assert listener.predictions == [(name, "champion")]


def test_the_models_that_may_have_answered_are_told_by_their_blocks(database: Database) -> None:
    name, other = predict(database), predict(database)
    with database.begin() as connection:
        write_records(connection, [Record(other, "n", 1, [1.0], 5.0, None, None, AT, "shadow")])
        found = models_of(connection, [name, f"{other[:-1]}7", other])
    assert found == {name: {"m"}, other: {"m", "n"}}


def test_what_was_told_before_stays(database: Database) -> None:
    tell(database, "a", 1.0)
    with database.begin() as connection:
        kept = keep_actuals(connection, [Actual("b", "b", 2.0), Actual("a", "a", 3.0)], now())
    assert {key: one.value for key, one in kept.items()} == {"a": 1.0}
    assert len(states(database)) == 2
