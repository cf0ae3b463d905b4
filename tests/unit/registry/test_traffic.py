"""Callers between champion and challenger, on SQLite and on PostgreSQL."""

from collections.abc import Callable

import pytest
from tests.unit.registry.drafts import draft
from tests.unit.registry.test_races import at_once

from perfcast.errors import BrokenVersion, Conflict, InvalidInput, Refused, UnknownModel
from perfcast.registry import Registry, Version
from perfcast.storage import schema

EVEN = {"champion": 50.0, "challenger": 50.0}


@pytest.fixture
def split(registry: Registry) -> Registry:
    """Three versions; 10 % of the callers go to the second."""
    for number in (1, 2, 3):
        registry.add("cpu", draft(number))
    registry.point("cpu", "champion", 1)
    registry.point("cpu", "challenger", 2)
    registry.set_traffic("cpu", {"champion": 90, "challenger": 10}, reason="try it", actor="me")
    return registry


def test_a_split_is_kept_with_its_history_and_raises_the_revision_once(split: Registry) -> None:
    assert split.model("cpu").traffic == {"champion": 90, "challenger": 10}
    (event, *_) = split.history("cpu")
    assert (event.kind, event.alias, event.share_before, event.share_after) == ("traffic", "challenger", 0, 10)
    assert (event.before, event.after, event.reason, event.actor) == (2, 2, "try it", "me")
    revision = split.revision()
    before, after = split.set_traffic("cpu", EVEN)
    assert (before["challenger"], after) == (10, EVEN)
    split.set_traffic("cpu", EVEN)
    assert split.revision() == revision + 1
    assert len(split.history("cpu")) == 4


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"champion": 100, "challenger": 10},
        {"champion": 110, "challenger": -10},
        {"champion": float("nan"), "challenger": 10},
        {"champion": float("inf")},
        {"champion": 50},
        {"champion": 90, "shadow": 10},
        {"champion": 0, "challenger": 0},
    ],
)
def test_weights_that_do_not_make_a_hundred_are_refused(split: Registry, weights: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        split.set_traffic("cpu", weights)
    assert split.model("cpu").share == 10


def test_callers_need_the_aliases_that_shall_answer_them(registry: Registry) -> None:
    registry.add("cpu", draft(1))
    with pytest.raises(UnknownModel):
        registry.set_traffic("other", EVEN)
    with pytest.raises(Refused, match="cpu@challenger is not set"):
        registry.set_traffic("cpu", EVEN)
    registry.point("cpu", "challenger", 1)
    with pytest.raises(Refused, match="cpu@champion is not set"):
        registry.set_traffic("cpu", EVEN)
    registry.point("cpu", "champion", 1)
    with pytest.raises(Refused, match="the champion itself"):
        registry.set_traffic("cpu", EVEN)
    assert registry.set_traffic("cpu", {"champion": 100})[1] == {"champion": 100, "challenger": 0}


ENDINGS: list[Callable[[Registry], object]] = [
    lambda registry: registry.point("cpu", "challenger", None),
    lambda registry: registry.point("cpu", "champion", 2),
    lambda registry: registry.point("cpu", "champion", None),
    lambda registry: registry.step_back("cpu"),
    lambda registry: registry.point("cpu", "challenger", 1),
]


@pytest.mark.parametrize("end", ENDINGS)
def test_what_ends_a_split_gives_all_callers_back_in_the_same_change(
    split: Registry, end: Callable[[Registry], object]
) -> None:
    revision = split.revision()
    end(split)
    assert split.revision() == revision + 1
    assert split.model("cpu").traffic == {"champion": 100, "challenger": 0}
    (event, *_) = split.history("cpu")
    assert (event.share_before, event.share_after) == (10, 0)


@pytest.mark.parametrize(("alias", "number"), [("challenger", 3), ("champion", 3), ("shadow", 2)])
def test_another_version_in_an_arm_keeps_the_split(split: Registry, alias: str, number: int) -> None:
    split.point("cpu", alias, number)
    assert split.model("cpu").share == 10
    assert split.history("cpu")[0].share_after is None


def test_an_expected_split_decides_a_race(split: Registry) -> None:
    with pytest.raises(Conflict, match="answers 10 % of the callers now, not 50 %"):
        split.set_traffic("cpu", {"champion": 100}, expect=EVEN)
    present = dict(split.model("cpu").traffic)
    shares = [{"champion": 100 - share, "challenger": share} for share in (20.0, 30.0)]
    results = at_once([lambda to=to: split.set_traffic("cpu", to, expect=present) for to in shares])
    (winner,) = [result for result in results if not isinstance(result, BaseException)]
    assert split.model("cpu").traffic == winner[1]


def test_a_snapshot_holds_what_is_served_and_its_graphs(split: Registry) -> None:
    snapshot = split.snapshot()
    assert snapshot.revision == split.revision()
    assert [summary.share for summary in snapshot.models] == [10]
    expected = {("cpu", number): draft(number).manifest.graph.sha256 for number in (1, 2)}
    assert snapshot.graphs == expected


def test_versions_that_are_asked_for_together_come_each_by_itself(split: Registry) -> None:
    with split._database.begin() as connection:
        table = schema.version
        connection.execute(table.update().where(table.c.number == 2).values(manifest="{"))
    found = split.some_versions([("cpu", 1), ("cpu", 2), ("cpu", 9), ("other", 1)])
    assert isinstance(found["cpu", 1], Version)
    assert isinstance(found["cpu", 2], BrokenVersion)
    assert found.keys() == {("cpu", 1), ("cpu", 2)}
