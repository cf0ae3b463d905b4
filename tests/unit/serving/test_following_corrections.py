"""Who answers moves intervals as actuals say, by version, and puts them back when a version is activated anew."""

from collections.abc import Callable, Iterator
from datetime import UTC

import numpy as np
import pytest
from tests.corrections import take_in, truths
from tests.drafts import draft, weighted
from tests.patience import until

from perfcast.monitoring import CorrectionNews
from perfcast.registry import Registry
from perfcast.serving import Follower, Shadows, Slot
from perfcast.storage import Database, now
from perfcast.workloads import Workload, builtin_workloads


@pytest.fixture
def database(registry: Registry) -> Database:
    return registry._database


@pytest.fixture
def follow(registry: Registry, database: Database, cpu: Workload) -> Iterator[Callable[[], Follower]]:
    """Makes followers of a registry with a champion, a shadow and a candidate."""
    graph = weighted(cpu, request_rate=0.25)
    registry.add_all("m", [draft(cpu, graph)] * 3)
    registry.point("m", "champion", 1)
    registry.point("m", "shadow", 2)
    made: list[Follower] = []

    def make() -> Follower:
        news = CorrectionNews(database)
        made.append(Follower(registry, zone=UTC, refresh_seconds=0.05, workloads=builtin_workloads, corrections=news))
        made[-1].start()
        return made[-1]

    yield make
    for follower in made:
        follower.close()


Follow = Callable[[], Follower]


def answer(version: int) -> dict[str, object]:
    return {
        "model_name": "m",
        "model_version": version,
        "cpu_utilization": 25.0,
        "prediction_timestamp": now(),
        "prediction_id": "a",
    }


def upper(follower: Follower, reference: str = "m") -> float:
    arm = follower.routes.pick(reference, "cpu-utilization")
    return upper_of(arm.slot)


def upper_of(slot: Slot) -> float:
    assert slot.calibration is not None
    bounds = slot.calibration.interval(25.0, 0.9)
    assert bounds is not None
    return bounds[1]


def test_intervals_follow_without_new_routes_and_others_stay(
    registry: Registry, database: Database, follow: Follow
) -> None:
    followers = [follow(), follow()]
    routes = followers[0].routes
    take_in(database, registry, truths(answer(1), 10))
    for follower in followers:
        until(lambda follower=follower: upper(follower) == pytest.approx(35))
        assert upper(follower, "m@champion") == upper(follower, "m:1") == upper(follower)
        assert upper(follower, "m@shadow") == 27
    assert followers[0].routes is routes


def test_who_starts_later_begins_with_what_is_known(registry: Registry, database: Database, follow: Follow) -> None:
    first = follow()
    take_in(database, registry, truths(answer(1), 10))
    until(lambda: upper(first) == pytest.approx(35))
    assert upper(follow()) == pytest.approx(35)


def test_an_activation_puts_the_calibrated_interval_back(
    registry: Registry, database: Database, follow: Follow
) -> None:
    follower = follow()
    take_in(database, registry, truths(answer(1), 10))
    until(lambda: upper(follower) == pytest.approx(35))
    registry.point("m", "champion", 3)
    follower.refresh()
    assert (upper(follower), upper(follower, "m@champion")) == (27, 27)
    registry.point("m", "champion", 1)
    follower.refresh()
    assert upper(follower) == 27
    take_in(database, registry, truths(answer(1), -5))
    until(lambda: upper(follower) == pytest.approx(20))


def test_a_shadows_records_bear_its_own_corrected_interval(
    registry: Registry, database: Database, follow: Follow
) -> None:
    follower = follow()
    take_in(database, registry, truths(answer(2), 10))
    shadow = follower.routes.pick("m", "").shadow
    assert shadow is not None
    until(lambda: upper_of(shadow) == pytest.approx(35))
    assert upper(follower) == 27
    kept = []

    class Kept:
        append = kept.append

    shadows = Shadows(follower.cache.load, Kept(), lambda *_: None)  # type: ignore[arg-type]
    shadows.offer(shadow, "a", [100.0, *[0.0] * 7], now())
    shadows.start()
    (record,) = until(lambda: kept)
    shadows.close()
    assert (record.cost, record.upper) == (25, pytest.approx(35))


def test_a_version_reached_by_name_is_corrected_once_an_alias_points_to_it(
    registry: Registry, database: Database, follow: Follow
) -> None:
    follower = follow()
    assert follower.reach("m:3").number == 3
    registry.point("m", "challenger", 3)
    take_in(database, registry, truths(answer(3), 10))
    until(lambda: upper(follower, "m:3") == pytest.approx(35))


def test_many_rows_are_answered_as_one(registry: Registry, database: Database, follow: Follow) -> None:
    follower = follow()
    take_in(database, registry, truths(answer(1), 10))
    until(lambda: upper(follower) == pytest.approx(35))
    arm, predictor = follower.pick("m", "cpu-utilization", str)
    row = [100.0, *[0.0] * 7]
    many = predictor.predict(np.array([row], dtype=np.float32), 0.9, arm.slot.calibration)
    one = predictor.answer(row, 0.9, arm.slot.calibration)
    assert many.upper is not None
    assert many.upper.tolist() == [pytest.approx(one.upper)]
    assert one.upper == pytest.approx(35)
    assert predictor.answer(row, 0.9).upper == 27
