"""Who answers which caller."""

from collections.abc import Callable
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drafts import draft, weighted

from perfcast.registry import Registry, Version
from perfcast.serving import Arm, Follower, Reader, Slot
from perfcast.workloads import Workload, builtin_workloads, workload_from_document

CPU = builtin_workloads()["cpu-utilization"]
READER = Reader(CPU, UTC)
CALLERS = [f"caller-{number}" for number in range(4000)]


def slot(model: str, number: int) -> Slot:
    manifest = draft(CPU, weighted(CPU)).manifest
    return Slot(Version(model, number, None, manifest, "", "2026-01-01T00:00:00Z"), READER)


def challenged(model: str, share: float) -> set[str]:
    """Which of the callers the challenger answers."""
    arm = Arm("champion", slot(model, 1), challenger=slot(model, 2), share=share)
    return {caller for caller in CALLERS if arm.pick(lambda caller=caller: caller) is not arm}


@given(share=st.floats(0, 100))
@settings(max_examples=40, deadline=None)
def test_the_challenger_gets_its_share_of_the_callers(share: float) -> None:
    expected = share / 100
    deviation = 5 * (expected * (1 - expected) / len(CALLERS)) ** 0.5  # five standard deviations of a binomial share
    assert len(challenged("m", share)) / len(CALLERS) == pytest.approx(expected, abs=deviation + 1e-9)


@given(first=st.floats(0, 100), second=st.floats(0, 100))
@settings(max_examples=40, deadline=None)
def test_a_caller_moves_only_if_it_must(first: float, second: float) -> None:
    small, large = sorted([first, second])
    assert challenged("m", small) <= challenged("m", large)


def test_models_part_their_callers_independently() -> None:
    one, other = challenged("one", 50), challenged("other", 50)
    assert 0.2 < len(one & other) / len(CALLERS) < 0.3


@given(key=st.text())
def test_any_text_is_a_key_and_meets_the_same_arm_each_time(key: str) -> None:
    one, other = (Arm("champion", slot("m", 1), challenger=slot("m", 2), share=30) for _ in range(2))
    assert one.pick(lambda: key).labels == other.pick(lambda: key).labels == one.pick(lambda: key).labels


@pytest.mark.parametrize("share", [0, 100])
def test_none_and_all_mean_it(share: float) -> None:
    assert len(challenged("m", share)) == share / 100 * len(CALLERS)


def serve_three(registry: Registry, cpu: Workload) -> None:
    for weight in (1, 2, 3):
        registry.add("m", draft(cpu, weighted(cpu, request_rate=weight)))
    for alias, number in (("champion", 1), ("challenger", 2), ("shadow", 3)):
        registry.point("m", alias, number)


def never() -> str:
    raise AssertionError("nobody asked for the caller's key")


def test_without_a_split_nobody_asks_who_the_caller_is(
    registry: Registry, cpu: Workload, follow: Callable[[], Follower]
) -> None:
    serve_three(registry, cpu)
    routes = follow().routes
    for reference in (None, "m", "m:2", "m@challenger", "m@shadow"):
        routes.pick(reference, cpu.name, never)
    arm = routes.pick(None, cpu.name, never)
    assert (arm.name, arm.slot.number, arm.labels) == ("champion", 1, ("m", "champion", 1))
    assert arm.shadow is not None
    assert arm.shadow.number == 3


def test_a_split_concerns_the_bare_name_and_the_default_only(
    registry: Registry, cpu: Workload, follow: Callable[[], Follower]
) -> None:
    serve_three(registry, cpu)
    registry.set_traffic("m", {"champion": 0, "challenger": 100})
    routes = follow().routes
    for reference in (None, "m"):
        arm = routes.pick(reference, cpu.name, lambda: "somebody")
        assert (arm.name, arm.slot.number) == ("challenger", 2)
        assert arm.shadow is not None
    for reference, number in (("m:1", 1), ("m:01", 1), ("1", 1), ("m@champion", 1), ("m@challenger", 2)):
        arm = routes.pick(reference, cpu.name, never)
        assert (arm.name, arm.slot.number, arm.shadow) == ("named", number, None)


def test_a_challenger_that_can_not_be_loaded_leaves_its_callers_to_the_champion(
    registry: Registry, cpu: Workload, follow: Callable[[], Follower]
) -> None:
    registry.add("m", draft(cpu, weighted(cpu, request_rate=1)))
    registry.add("m", draft(cpu, b"no graph"))
    registry.point("m", "champion", 1)
    registry.point("m", "challenger", 2)
    registry.set_traffic("m", {"champion": 0, "challenger": 100})
    routes = follow().routes
    assert routes.pick("m", cpu.name, lambda: "somebody").name == "champion"
    assert set(routes.problems) == {"m@challenger"}


def test_who_reads_other_numbers_than_the_champion_answers_only_where_it_is_named(
    registry: Registry, follow: Callable[[], Follower]
) -> None:
    def zones(*values: str) -> Workload:
        feature = {"name": "zone", "type": "choice", "values": values}
        return workload_from_document({"name": "zones", "cost": {"name": "ms"}, "features": [feature]})

    for values in (("a", "b"), ("b", "a"), ("b", "a")):
        workload = zones(*values)
        registry.add("m", draft(workload, weighted(workload, zone=1)))
    for alias, number in (("champion", 1), ("challenger", 2), ("shadow", 3)):
        registry.point("m", alias, number)
    registry.set_traffic("m", {"champion": 0, "challenger": 100})
    routes = follow().routes
    arm = routes.pick("m", "zones", never)
    assert (arm.name, arm.slot.number, arm.shadow) == ("champion", 1, None)
    assert routes.pick("m@challenger", "zones", never).slot.number == 2
    assert "'zone' had the values a, b; now b, a" in routes.notes["m@challenger"]
    assert (routes.notes.keys(), routes.problems) == ({"m@challenger", "m@shadow"}, {})
