"""Asking shadows behind the caller's back."""

import threading
from collections.abc import Iterator
from datetime import UTC

import pytest
from tests.drafts import draft, weighted
from tests.unit.serving.test_follower import until

from perfcast.errors import BrokenVersion
from perfcast.monitoring import PredictionLog, Record, read_records
from perfcast.registry import Registry
from perfcast.serving import Predictor, Reader, Shadows, Slot
from perfcast.workloads import Workload

AT = "2026-03-01T10:30:00.000000Z"


@pytest.fixture
def slot(registry: Registry, cpu: Workload) -> Slot:
    version = registry.add("m", draft(cpu, weighted(cpu, request_rate=2)))
    return Slot(version, Reader(cpu, UTC))


class Bench:
    """Shadows with what they told; `gate` holds their loading up until it is set."""

    def __init__(self, registry: Registry, capacity: int) -> None:
        self.records = PredictionLog(registry._database, seconds=1)
        self.counted: list[tuple[str, str, int]] = []
        self.gate = threading.Event()
        self.broken = False
        self._registry = registry
        self.shadows = Shadows(
            self._load, self.records, lambda labels, seconds: self.counted.append(labels), capacity=capacity
        )
        self.shadows.start()

    def _load(self, slot: Slot) -> Predictor:
        assert self.gate.wait(10)
        if self.broken:
            raise BrokenVersion("its bytes are gone")
        return Predictor(slot.version, self._registry.graph(slot.version), zone=UTC, reader=slot.reader)


@pytest.fixture
def bench(registry: Registry) -> Iterator[Bench]:
    bench = Bench(registry, capacity=10)
    yield bench
    bench.gate.set()
    bench.shadows.close()


def row(rate: float) -> list[float]:
    return [rate] + [0.0] * 7


def test_a_shadows_answer_stands_beside_the_callers_under_the_same_id(
    bench: Bench, slot: Slot, registry: Registry
) -> None:
    bench.gate.set()
    for number in range(5):
        bench.records.append(Record(f"id-{number}", "m", 7, row(number), 1.0, None, None, AT))
        bench.shadows.offer(slot, f"id-{number}", row(number), AT)
    until(lambda: len(bench.counted) == 5)
    bench.records.flush()
    with registry._database.read() as connection:
        kept = sorted(read_records(connection), key=lambda item: (item.id, item.arm))
    assert [(item.id, item.arm, item.version) for item in kept] == [
        (f"id-{number}", *who) for number in range(5) for who in (("champion", 7), ("shadow", 1))
    ]
    assert [item.cost for item in kept if item.arm == "shadow"] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert all(item.upper == item.cost + 2.0 for item in kept if item.arm == "shadow")
    assert set(bench.counted) == {("m", "shadow", 1)}


def test_who_offers_never_waits_and_what_is_too_much_is_dropped_and_counted(bench: Bench, slot: Slot) -> None:
    for number in range(200):
        bench.shadows.offer(slot, f"id-{number}", row(number), AT)
    assert bench.counted == []
    assert bench.shadows.dropped >= 200 - 10 - 64
    bench.gate.set()
    until(lambda: len(bench.counted) + bench.shadows.dropped == 200)


def test_errors_of_a_shadow_are_counted_and_it_is_asked_again(bench: Bench, slot: Slot) -> None:
    bench.broken = True
    bench.gate.set()
    bench.shadows.offer(slot, "id-1", row(1), AT)
    until(lambda: bench.shadows.failed == 1)
    bench.broken = False
    bench.shadows.offer(slot, "id-2", row(float("inf")), AT)
    until(lambda: bench.shadows.failed == 2)
    bench.shadows.offer(slot, "id-3", row(3), AT)
    until(lambda: len(bench.counted) == 1)


def test_what_waits_at_the_end_is_dropped_and_counted(bench: Bench, slot: Slot) -> None:
    for number in range(5):
        bench.shadows.offer(slot, f"id-{number}", row(number), AT)
    until(lambda: not bench.shadows._waiting)
    for number in range(3):
        bench.shadows.offer(slot, f"more-{number}", row(number), AT)
    closing = threading.Thread(target=bench.shadows.close)
    closing.start()
    until(bench.shadows._stop.is_set)
    bench.gate.set()
    closing.join(10)
    assert bench.shadows.dropped == 3
