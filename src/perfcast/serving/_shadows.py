"""Asking shadow versions for the rows that others answered, behind the caller's back."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from math import isfinite
from threading import Event, Thread

import msgspec
import numpy as np
import structlog

from perfcast.manifest import DEFAULT_COVERAGE
from perfcast.monitoring import PredictionLog, Record
from perfcast.registry import SHADOW
from perfcast.serving._cache import Slot
from perfcast.serving._predictor import Predictor

CAPACITY = 20_000
"""Rows that may wait for shadows; what comes on top is dropped and counted."""
_PAUSE_SECONDS = 0.02
_TOGETHER = 64

Count = Callable[[tuple[str, str, int], float], None]
"""Takes note of one answer: model, arm and version, and its seconds."""

log = structlog.stdlib.get_logger("perfcast.serving")


class Errand(msgspec.Struct, frozen=True, gc=False):
    """A row that a shadow, its slot, shall be asked for; see `Shadows.offer`."""

    slot: Slot
    id: str
    row: Sequence[float]
    at: str


class Shadows:
    """Takes rows without waiting and asks their shadows from one thread.

    Rows that came together go through a shadow's graph together, up to 64 in one call that leaves the interpreter's
    lock to the threads that answer callers. A shadow that is slower than its callers fills the queue; then rows are
    dropped, and nobody waits.

    Args:
        load: Gives a shadow's predictor, loading it where it isn't in memory.
        records: Takes what the shadows said; None where predictions aren't recorded.
        count: Called for each answer, from the thread.
        capacity: Rows that may wait.
    """

    def __init__(
        self,
        load: Callable[[Slot], Predictor],
        records: PredictionLog | None,
        count: Count,
        *,
        capacity: int = CAPACITY,
    ) -> None:
        self._load = load
        self._records = records
        self._count = count
        self._capacity = capacity
        self._waiting: deque[Errand] = deque()
        self._wanted = Event()
        self._stop = Event()
        self._thread = Thread(target=self._ask_on, name="perfcast-shadows", daemon=True)
        self._failing: set[str] = set()
        self.dropped = 0
        self.failed = 0

    def offer(self, slot: Slot, name: str, row: Sequence[float], at: str) -> None:
        """Take a row for a shadow; never waits.

        Args:
            slot: The shadow.
            name: Id of the prediction that the caller got.
            row: One number a feature, in declared order.
            at: When the caller was answered: ISO 8601, UTC.
        """
        if len(self._waiting) >= self._capacity:
            self.dropped += 1
            return
        self._waiting.append(Errand(slot, name, row, at))
        if not self._wanted.is_set():
            self._wanted.set()

    def start(self) -> None:
        """Begin asking."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the call that is being made; what waits is dropped and counted."""
        self._stop.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self.dropped += len(self._waiting)
        self._waiting.clear()

    def _ask_on(self) -> None:
        while self._wanted.wait() and not self._stop.wait(_PAUSE_SECONDS):  # callers get their answers sent meanwhile
            self._wanted.clear()
            while self._waiting and not self._stop.is_set():
                self._ask()

    def _ask(self) -> None:
        """Ask one shadow for the rows that wait for it at the head of the queue."""
        slot, errands = self._waiting[0].slot, list[Errand]()
        while self._waiting and self._waiting[0].slot is slot and len(errands) < _TOGETHER:
            errands.append(self._waiting.popleft())
        try:
            self._answer(slot, errands)
            self._failing.discard(slot.name)
        except Exception as error:  # noqa: BLE001 - a shadow may fail in any way; nobody shall notice but who counts
            self.failed += len(errands)
            if slot.name not in self._failing:
                log.warning("a shadow can't answer", model=slot.model, version=slot.number, reason=str(error))
            self._failing.add(slot.name)

    def _answer(self, slot: Slot, errands: Sequence[Errand]) -> None:
        predictor = self._load(slot)
        began = time.perf_counter()
        rows = np.array([errand.row for errand in errands], dtype=np.float32)
        cost, spread = predictor.run_with_spread(rows)
        seconds = (time.perf_counter() - began) / len(errands)
        labels = (slot.model, SHADOW, slot.number)
        spreads = [None] * len(errands) if spread is None else spread.tolist()
        for errand, value, apart in zip(errands, cost.tolist(), spreads, strict=True):
            if isfinite(value):
                self._count(labels, seconds)
                if self._records is not None:
                    self._records.append(_record(slot, errand, value, apart))
            else:
                self.failed += 1


def _record(slot: Slot, errand: Errand, cost: float, spread: float | None) -> Record:
    calibration = slot.calibration
    bounds = calibration.interval(cost, DEFAULT_COVERAGE, spread) if calibration is not None else None
    lower, upper = bounds or (None, None)
    who = slot.model, slot.number
    return Record(errand.id, *who, errand.row, cost, lower, upper, errand.at, SHADOW, spread=spread)
