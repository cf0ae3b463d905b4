"""Which graphs are in memory, within a bound of bytes."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import structlog

from perfcast.errors import PerfcastError
from perfcast.manifest import Calibration, Move
from perfcast.registry import Version
from perfcast.serving._predictor import Predictor
from perfcast.serving._reader import Reader

log = structlog.stdlib.get_logger("perfcast.serving")


MOST_IMPORTANT = 4
"""The importance of a default model's champion."""


def reason_of(error: Exception) -> str:
    """In words; a store's driver and a declaration made elsewhere may fail in any way."""
    return str(error) if isinstance(error, PerfcastError) else f"{type(error).__name__}: {error}"


@dataclass(eq=False, slots=True)
class Slot:
    """A version that can answer; only its graph comes and goes, and its intervals follow its actuals.

    Who wants an answer reads `predictor` and `calibration` once and keeps what it got: the next moment another thread
    may have replaced them, which does a prediction that has begun no harm.

    Attributes:
        version, model, number: What the registry says about it.
        reader: Reads its workload's features, also while the graph isn't loaded.
        predictor: The loaded graph; None while it isn't in memory.
        calibration: How wide its intervals are at present: the version's own table, or as its actuals corrected it;
            None where the version is uncalibrated.
        used: When it was asked for last, seconds of `time.perf_counter`.
        importance: Greater ones are loaded earlier at start; `MOST_IMPORTANT` ones leave memory last.
        reason: Why it could not be loaded at the last attempt; None where nothing is known against it.
        loading: Held while it is being loaded, so that it is loaded once.
    """

    version: Version
    reader: Reader
    predictor: Predictor | None = None
    used: float = 0.0
    importance: int = 0
    reason: str | None = None
    loading: Lock = field(default_factory=Lock)
    model: str = field(init=False)
    number: int = field(init=False)
    calibration: Calibration | None = field(init=False)

    def __post_init__(self) -> None:
        self.model, self.number = self.version.model, self.version.number
        self.calibration = self.version.manifest.calibration

    @property
    def name(self) -> str:
        """The reference that always means this version."""
        return self.version.reference

    def correct(self, moves: Mapping[str, Move]) -> None:
        """Move the bounds of its intervals as its actuals say; nothing given puts them back."""
        own = self.version.manifest.calibration
        self.calibration = own.corrected(moves) if own is not None and moves else own

    @property
    def bytes(self) -> int:
        """Size of its graph."""
        return self.version.manifest.graph.bytes


class GraphCache:
    """Loads graphs when they are asked for, and lets the least recently used go when there are too many.

    What is counted is the size of the graphs' files. A graph is loaded before others leave, so that a broken one
    displaces none: for that moment there is one graph more. One that is larger than the bound stays alone. Safe to use
    from several threads; only those that want the same graph wait for each other.

    Args:
        open_graph: Makes a warm predictor; raises PerfcastError where it can't.
        limit: Bytes; 0 for no bound.

    Attributes:
        bytes: Of the graphs in memory.
        loads, failures, evictions: How many graphs were loaded, could not be, and left for others.
    """

    def __init__(self, open_graph: Callable[[Slot], Predictor], limit: int = 0) -> None:
        self._open = open_graph
        self._limit = limit
        self._lock = Lock()
        self._loaded: dict[Slot, int] = {}
        self.bytes = 0
        self.loads = self.failures = self.evictions = 0

    @property
    def bounded(self) -> bool:
        """Whether graphs may have to leave."""
        return self._limit > 0

    def fitting(self, slots: Sequence[Slot]) -> list[Slot]:
        """As many of the first of these as can be in memory together; at least one."""
        room, chosen = self._limit - self.bytes, list[Slot]()
        for slot in slots:
            room -= slot.bytes
            if self._limit and chosen and room < 0:
                break
            chosen.append(slot)
        return chosen

    def load(self, slot: Slot) -> Predictor:
        """The slot's predictor, loaded now unless it is in memory.

        Raises:
            PerfcastError: It can't be loaded; `slot.reason` says why until an attempt succeeds.
        """
        with slot.loading:
            predictor = slot.predictor or self._loaded_now(slot)
            slot.used = time.perf_counter()
            return predictor

    def keep_only(self, slots: Collection[Slot]) -> None:
        """Let go of what is no longer served."""
        with self._lock:
            for slot in self._loaded.keys() - set(slots):
                self._drop(slot)

    def _loaded_now(self, slot: Slot) -> Predictor:
        began = time.perf_counter()
        try:
            predictor = self._open(slot)
        except Exception as error:
            slot.reason = reason_of(error)
            with self._lock:
                self.failures += 1
            raise
        slot.reason = None
        with self._lock:
            self.loads += 1
            slot.used = time.perf_counter()  # before another load looks for what to drop
            slot.predictor = predictor
            self._loaded[slot] = slot.bytes
            self.bytes += slot.bytes
            self._make_room(slot)
        log.info(
            "model loaded successfully",
            model=slot.model,
            version=slot.number,
            type=slot.version.type,
            bytes=slot.bytes,
            milliseconds=round((time.perf_counter() - began) * 1000, 1),
        )
        return predictor

    def _make_room(self, newest: Slot) -> None:
        if not self._limit:
            return
        others = (slot for slot in self._loaded if slot is not newest)
        for slot in sorted(others, key=lambda slot: (slot.importance == MOST_IMPORTANT, slot.used)):
            if self.bytes <= self._limit:
                return
            self._drop(slot)
            self.evictions += 1
            log.info(
                "model left memory", model=slot.model, version=slot.number, room_for=newest.name, bytes_left=self.bytes
            )

    def _drop(self, slot: Slot) -> None:
        slot.predictor = None
        self.bytes -= self._loaded.pop(slot)
