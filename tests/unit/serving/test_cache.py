"""Which graphs are in memory."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC

import pytest
import sqlalchemy as sa
from tests.drafts import draft, weighted
from tests.unit.serving.test_follower import statements, until

from perfcast.errors import NoUsableModel
from perfcast.registry import Registry
from perfcast.serving import Follower, Predictor
from perfcast.serving._cache import GraphCache, Slot
from perfcast.workloads import Workload, builtin_workloads

Bounded = Callable[[float], Follower]
ROW = [5.0] + [0.0] * 7


@pytest.fixture
def sizes(registry: Registry, cpu: Workload) -> int:
    """Four models `a` to `d` with graphs of one size; `a` is the default. Returns the size."""
    for weight, name in enumerate("abcd", 1):
        version = registry.add(name, draft(cpu, weighted(cpu, request_rate=weight)))
        registry.point(name, "champion", 1)
    return version.manifest.graph.bytes


@pytest.fixture
def bounded(registry: Registry, sizes: int) -> Iterator[Bounded]:
    """Makes followers that look only when told, with room for so many graphs."""
    made: list[Follower] = []

    def make(graphs: float) -> Follower:
        limit = int(graphs * sizes)
        made.append(Follower(registry, zone=UTC, refresh_seconds=2, workloads=builtin_workloads, cache_bytes=limit))
        made[-1].refresh()
        return made[-1]

    yield make
    for follower in made:
        follower.close()


def loaded(follower: Follower) -> str:
    return "".join(name for name, slot in sorted(follower.routes.champions.items()) if slot.predictor is not None)


def ask(follower: Follower, name: str) -> float:
    slot = follower.routes.pick(name, "cpu-utilization").slot
    predictor = slot.predictor or follower.fetch(slot).result(10)
    return predictor.answer(ROW).cost


def test_at_start_the_most_important_graphs_are_loaded_until_it_is_full(bounded: Bounded, sizes: int) -> None:
    follower = bounded(2.5)
    assert loaded(follower) == "ab"
    assert follower.cache.bytes == 2 * sizes
    assert sorted(follower.routes.champions) == list("abcd")
    assert not follower.routes.problems


def test_the_least_recently_used_leaves_and_the_default_models_champion_last(bounded: Bounded) -> None:
    follower = bounded(3)
    assert loaded(follower) == "abc"
    ask(follower, "b")
    assert ask(follower, "d") == 20.0
    assert loaded(follower) == "abd"
    assert ask(follower, "c") == 15.0
    assert loaded(follower) == "acd"
    assert follower.cache.evictions == 2


def test_of_two_graphs_loaded_at_once_neither_takes_the_others_place(
    bounded: Bounded, sizes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowLog:
        def info(self, *_: object, **_about: object) -> None:
            time.sleep(0.02)  # while a line is written, another thread has its turn

    monkeypatch.setattr("perfcast.serving._cache.log", SlowLog())
    champions = bounded(0.5).routes.champions
    cache = GraphCache(lambda slot: champions[slot.model].predictor, int(2.5 * sizes))  # type: ignore[arg-type,return-value]
    old, *new = (Slot(champions[name].version, champions[name].reader) for name in "abc")
    cache.load(old)
    with ThreadPoolExecutor(2) as callers:
        list(callers.map(cache.load, new))
    assert [slot in cache._loaded for slot in (old, *new)] == [False, True, True]


def test_a_cache_smaller_than_a_graph_holds_one_alone(bounded: Bounded) -> None:
    follower = bounded(0.1)
    for name, cost in zip("abcdabcd", [5.0, 10.0, 15.0, 20.0] * 2, strict=True):
        assert ask(follower, name) == cost
        assert loaded(follower) == name


def test_without_a_bound_everything_is_loaded_at_start(bounded: Bounded) -> None:
    assert loaded(bounded(0)) == "abcd"


def test_callers_of_one_missing_graph_cause_one_load(bounded: Bounded, monkeypatch: pytest.MonkeyPatch) -> None:
    follower = bounded(1)
    loads: list[str] = []
    gate = threading.Event()
    real = follower.cache._open

    def slow(slot: object) -> Predictor:
        loads.append(slot.name)  # type: ignore[attr-defined]
        assert gate.wait(10)
        return real(slot)  # type: ignore[arg-type]

    monkeypatch.setattr(follower.cache, "_open", slow)
    slot = follower.routes.pick("c", "cpu-utilization").slot
    with ThreadPoolExecutor(8) as callers:
        answers = [callers.submit(ask, follower, "c") for _ in range(8)]
        answers += [callers.submit(lambda: follower.cache.load(slot).answer(ROW).cost)]
        until(lambda: bool(loads))
        gate.set()
        assert [answer.result(10) for answer in answers] == [15.0] * 9
    assert loads == ["c:1"]


def test_a_loaded_model_answers_while_another_is_being_loaded(
    bounded: Bounded, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = bounded(2)
    gate = threading.Event()
    real = follower.cache._open
    monkeypatch.setattr(follower.cache, "_open", lambda slot: real(slot) if gate.wait(10) else None)
    waiting = follower.fetch(follower.routes.pick("d", "cpu-utilization").slot)
    assert ask(follower, "a") == 5.0
    follower.refresh()
    assert not waiting.done()
    gate.set()
    assert waiting.result(10).answer(ROW).cost == 20.0


def test_a_prediction_that_has_begun_outlives_the_graphs_leaving(bounded: Bounded) -> None:
    follower = bounded(1)
    predictor = follower.routes.pick("a", "cpu-utilization").slot.predictor
    assert predictor is not None
    ask(follower, "b")
    assert loaded(follower) == "b"
    assert predictor.answer(ROW).cost == 5.0


def test_an_activation_loads_what_is_new_and_nothing_else(registry: Registry, bounded: Bounded, cpu: Workload) -> None:
    follower = bounded(0)
    kept = dict(follower.routes.champions)
    registry.add("b", draft(cpu, weighted(cpu, request_rate=7)))
    registry.point("b", "champion", 2)
    seen = statements(registry)
    follower.refresh()
    assert ask(follower, "b") == 35.0
    assert all(follower.routes.champions[name] is kept[name] for name in "acd")
    assert sum("manifest" in statement for statement in seen) == 1
    assert len([statement for statement in seen if statement.startswith("SELECT")]) <= 7


def test_the_first_look_asks_for_all_manifests_at_once(registry: Registry, sizes: int) -> None:
    follower = Follower(registry, zone=UTC, refresh_seconds=2, workloads=builtin_workloads)
    seen: list[str] = []
    sa.event.listen(registry._database._engine, "before_cursor_execute", lambda *event: seen.append(event[2]))
    follower.refresh()
    assert sum("manifest" in statement for statement in seen) == 1


def test_a_graph_that_has_left_and_rots_is_refused_and_told(
    registry: Registry, bounded: Bounded, cpu: Workload, tmp_path: object
) -> None:
    follower = bounded(1)
    digest = registry.version("b", 1).manifest.graph.sha256
    registry._blobs.delete(digest)
    slot = follower.routes.pick("b", cpu.name).slot
    for _ in range(2):
        with pytest.raises(NoUsableModel, match="b:1"):
            follower.fetch(slot).result(10)
    follower.start()
    until(lambda: "b" in follower.routes.problems)
    assert ask(follower, "a") == 5.0


def test_a_version_that_replaces_another_is_loaded_before_it_answers(
    registry: Registry, bounded: Bounded, cpu: Workload
) -> None:
    follower = bounded(1)
    registry.add("b", draft(cpu, b"no graph"))
    registry.point("b", "champion", 2)
    follower.refresh()
    assert follower.routes.champions["b"].number == 1
    assert "version 1 still answers" in follower.routes.problems["b"]
    assert ask(follower, "b") == 10.0


def test_many_threads_may_use_a_cache_that_is_too_small(bounded: Bounded) -> None:
    follower = bounded(1.5)
    expected = dict(zip("abcd", [5.0, 10.0, 15.0, 20.0], strict=True))
    deadline = time.monotonic() + 1

    def hammer(offset: int) -> None:
        turn = offset
        while time.monotonic() < deadline:
            name = "abcd"[turn % 4]
            assert ask(follower, name) == expected[name]
            turn += 1

    with ThreadPoolExecutor(4) as callers:
        for done in [callers.submit(hammer, offset) for offset in range(4)]:
            done.result(30)
    assert follower.cache.bytes == sum(slot.bytes for slot in follower.routes.slots if slot.predictor is not None)
