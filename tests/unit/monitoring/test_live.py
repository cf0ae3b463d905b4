"""Live accuracy is what it would be over the rows themselves, whatever the order and the parts in which they came."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from tests.drafts import draft, weighted

from perfcast.monitoring import Arm, Judged, LiveAccuracy, Record, read_accuracy, versions_of
from perfcast.registry import Registry, Version
from perfcast.storage import Blobs, Database, schema, time_text
from perfcast.workloads import builtin_workloads

NOW = datetime(2026, 3, 8, 12, 32, tzinfo=UTC)
LOAD = (120.0, 60.0, 25.0, 0.5, 0.866, 0.2588, 0.9659, 1.0)
CPU = builtin_workloads()["cpu-utilization"]


def version(model: str, number: int) -> Version | None:
    """Trained on up to 100 requests a second, where there is such a version."""
    if model != "m":
        return None
    trained = draft(CPU, weighted(CPU, request_rate=0.5), ranges={"request_rate": (0.0, 100.0)})
    return Version(model, number, None, trained.manifest, "", "")


def record(
    ago: timedelta, cost: float = 50.0, *, rate: float = 50.0, arm: str = "champion", **others: object
) -> Record:
    given: dict[str, object] = {"model": "m", "version": 1, "lower": cost - 2, "upper": cost + 2} | others
    row = [rate, *LOAD[1:]]
    return Record(id="0", row=row, cost=cost, at=time_text(NOW - ago), arm=arm, **given)  # type: ignore[arg-type]


def judged(ago: timedelta, cost: float, actual: float, **others: object) -> Judged:
    return Judged(record(timedelta(days=30), cost, **others), actual, time_text(NOW - ago))  # type: ignore[arg-type]


def keep(database: Database, records: Sequence[Record] = (), truths: Sequence[Judged] = ()) -> None:
    watcher = LiveAccuracy(version)
    for part in (slice(None, None, 2), slice(1, None, 2)):
        with database.begin() as connection:
            watcher.predicted(connection, records[part])
            watcher.judged(connection, truths[part])


def test_figures_are_those_of_the_rows(database: Database) -> None:
    rng = np.random.default_rng(3)
    actual = rng.uniform(10, 90, 200)
    actual[:3] = 0
    predicted = actual + rng.normal(0.5, 2, 200)
    ago = [timedelta(minutes=float(minutes)) for minutes in rng.uniform(0, 50, 200)]
    keep(database, truths=[judged(*one) for one in zip(ago, predicted.tolist(), actual.tolist(), strict=True)])
    with database.read() as connection:
        found = read_accuracy(connection, now=NOW)[Arm("m", 1, "champion")]["1h"]
    error = predicted - actual
    assert found.actuals == 200
    assert found.mae == pytest.approx(np.abs(error).mean())
    assert found.rmse == pytest.approx(np.sqrt(np.square(error).mean()))
    assert found.bias == pytest.approx(error.mean())
    assert found.mape == pytest.approx(100 * np.abs(error[3:] / actual[3:]).mean())
    assert found.coverage == pytest.approx(100 * (np.abs(error) <= 2).mean())
    assert (found.predictions, found.extrapolated, found.width) == (0, None, None)


def test_predictions_are_counted_with_their_widths_and_what_lies_outside(database: Database) -> None:
    minute = timedelta(minutes=1)
    records = [
        record(minute, rate=100.0),
        record(minute, rate=100.1),
        record(minute, lower=49.0, upper=50.0),
        record(minute, lower=0.0, upper=90.0, coverage=0.99),
        record(minute, lower=None, upper=None),
    ]
    keep(database, records)
    with database.read() as connection:
        found = read_accuracy(connection, now=NOW)[Arm("m", 1, "champion")]["1h"]
    assert (found.predictions, found.extrapolated, found.width) == (5, 20.0, 3.0)
    assert (found.actuals, found.mae, found.coverage) == (0, None, None)


def test_a_version_that_is_gone_is_counted_all_the_same(database: Database) -> None:
    keep(database, [record(timedelta(), rate=1e6, model="gone")])
    with database.read() as connection:
        found = read_accuracy(connection, now=NOW)[Arm("gone", 1, "champion")]["1h"]
    assert (found.predictions, found.extrapolated) == (1, 0.0)


def test_windows_reach_as_far_back_as_they_say(database: Database) -> None:
    ago = [timedelta(minutes=30), timedelta(hours=5), timedelta(days=3), timedelta(days=100)]
    keep(database, [record(one) for one in ago], [judged(one, 50, 49) for one in ago])
    with database.read() as connection:
        found = read_accuracy(connection, now=NOW)[Arm("m", 1, "champion")]
    counts = {window: (figures.predictions, figures.actuals) for window, figures in found.items()}
    assert counts == {"1h": (1, 1), "24h": (2, 2), "7d": (3, 3), "all": (4, 4)}


def test_an_actual_counts_when_it_was_measured_however_late_it_comes(database: Database) -> None:
    keep(database, truths=[judged(timedelta(days=3), 50, 49)])
    with database.read() as connection:
        at = connection.execute(sa.select(schema.live_accuracy.c.at)).scalar_one()
    assert at == "2026-03-05T12:30:00.000000Z"


def test_models_versions_and_arms_are_told_apart(database: Database) -> None:
    arms = [("m", 1, "champion"), ("m", 1, "shadow"), ("m", 2, "challenger"), ("other", 1, "champion")]
    keep(database, [record(timedelta(), model=model, version=number, arm=arm) for model, number, arm in arms])
    with database.read() as connection:
        assert [tuple(arm) for arm in read_accuracy(connection)] == arms
        assert [tuple(arm) for arm in read_accuracy(connection, "m")] == arms[:3]
        assert [tuple(arm) for arm in read_accuracy(connection, "m", 1)] == arms[:2]


def test_versions_are_looked_up_in_the_registry(database: Database) -> None:
    registry = Registry(database, Blobs("memory://live"))
    registry.add("m", draft(CPU, weighted(CPU, request_rate=0.5)))
    version_of = versions_of(registry)
    found = version_of("m", 1)
    assert found is not None
    assert found.reference == "m:1"
    assert version_of("m", 2) is None
    assert version_of("other", 1) is None
