"""Several writers at once, and writers that are killed."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import pytest
from tests.patience import PATIENCE_SECONDS
from tests.unit.registry.conftest import Place
from tests.unit.registry.drafts import draft

from perfcast.errors import Conflict, UnknownVersion
from perfcast.registry import AliasChange, Registry, Version

Result = TypeVar("Result")

WRITER = """
import json, sys
from perfcast.manifest import Draft, Manifest
from perfcast.registry import Registry
from perfcast.storage import Blobs, Database
database, blobs, manifest, graph, count = json.loads(sys.argv[1])
registry = Registry(Database(database), Blobs(blobs))
draft = Draft(bytes.fromhex(graph), Manifest.from_json(manifest))
for _ in range(count):
    number = registry.add("cpu", draft).number
    print(number, flush=True)
    registry.point("cpu", "champion", number)
"""


def start_writer(place: Place, bias: float, count: int) -> subprocess.Popen[str]:
    version = draft(bias)
    told = [place.database, place.blobs, version.manifest.to_json().decode(), version.graph.hex(), count]
    command = [sys.executable, "-c", WRITER, json.dumps(told)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result | Conflict]:
    barrier = threading.Barrier(len(calls))

    def wait_and_call(call: Callable[[], Result]) -> Result | Conflict:
        barrier.wait(10)
        try:
            return call()
        except Conflict as conflict:
            return conflict

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(wait_and_call, calls))


def test_eight_threads_that_add_at_once_get_numbers_of_their_own(registry: Registry, place: Place) -> None:
    registries = [place.open() for _ in range(8)]
    calls = [lambda own=own, bias=bias: own.add("cpu", draft(bias)) for bias, own in enumerate(registries)] * 2
    versions = at_once(calls)
    numbers = sorted(version.number for version in versions if isinstance(version, Version))
    assert numbers == list(range(1, 17))
    assert registry.revision() == 16
    for version in registry.versions("cpu"):
        assert registry.graph(version) == draft(version.manifest.settings["bias"]).graph
    for own in registries:
        own._database.close()


def test_four_processes_that_add_at_once_get_numbers_of_their_own(registry: Registry, place: Place) -> None:
    writers = [start_writer(place, bias, 6) for bias in range(4)]
    outputs = [writer.communicate(timeout=60) for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, outputs
    given = [int(line) for output, _ in outputs for line in output.split()]
    assert sorted(given) == list(range(1, 25))
    assert registry.model("cpu").versions == tuple(range(1, 25))
    assert_consistent(registry)


def test_of_two_that_move_an_alias_with_the_same_expectation_one_wins(registry: Registry) -> None:
    for number in (1, 2, 3):
        registry.add("cpu", draft(number))
    for _ in range(10):
        registry.point("cpu", "champion", 1)
        results = at_once([lambda to=to: registry.point("cpu", "champion", to, expect=1) for to in (2, 3)])
        winners = [result for result in results if isinstance(result, AliasChange)]
        assert len(winners) == 1
        assert registry.resolve("cpu").number == winners[0].after
    assert_consistent(registry)


def test_of_two_that_set_an_unset_alias_one_wins(registry: Registry) -> None:
    registry.add("cpu", draft(1))
    registry.add("cpu", draft(2))
    results = at_once([lambda to=to: registry.point("cpu", "shadow", to, expect=None) for to in (1, 2)])
    assert sorted(type(result).__name__ for result in results) == ["AliasChange", "Conflict"]


def test_deleting_and_activating_at_once_never_leaves_a_dangling_alias(registry: Registry) -> None:
    for number in range(1, 11):
        registry.add("cpu", draft(number))
        calls: list[Callable[[], object]] = [
            lambda number=number: registry.delete("cpu", number),
            lambda number=number: point_or_miss(registry, number),
        ]
        at_once(calls)
        for held in registry.model("cpu").aliases.values():
            registry.version("cpu", held)


def test_bytes_stay_when_a_twin_is_added_while_its_like_is_deleted(registry: Registry) -> None:
    registry.add("cpu", draft(1))
    for number in range(1, 16):
        at_once([lambda number=number: registry.delete("cpu", number), lambda: registry.add("cpu", draft(1))])
        (left,) = registry.versions("cpu")
        assert registry.graph(left) == draft(1).graph


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_writer_that_is_killed_leaves_a_consistent_registry(registry: Registry, place: Place, after: int) -> None:
    writer = start_writer(place, 0, 10_000)
    deadline = time.monotonic() + PATIENCE_SECONDS
    assert writer.stdout is not None
    seen = 0
    while seen < after and time.monotonic() < deadline:
        seen = int(writer.stdout.readline())
    writer.kill()
    writer.communicate()
    assert seen == after
    assert set(range(1, seen + 1)) <= set(registry.model("cpu").versions)
    assert_consistent(registry)
    newest = registry.model("cpu").versions[-1]
    assert registry.add("cpu", draft(1)).number == newest + 1


def point_or_miss(registry: Registry, number: int) -> object:

    try:
        return registry.point("cpu", "champion", number)
    except UnknownVersion as missed:
        return missed


def assert_consistent(registry: Registry) -> None:
    """History, aliases, versions, bytes and revision agree."""
    summary = registry.model("cpu")
    assert summary.versions == tuple(range(1, len(summary.versions) + 1))
    for version in registry.versions("cpu"):
        registry.graph(version)
    events = registry.history("cpu")[::-1]
    assert all(later.before == earlier.after for earlier, later in pairwise(events))
    assert summary.aliases.get("champion") == (events[-1].after if events else None)
    assert registry.revision() == len(summary.versions) + len(events)
