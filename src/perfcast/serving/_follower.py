"""Keeping the newest routes in place while the registry changes."""

import time
from asyncio import shield, wrap_future
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import tzinfo
from threading import Event, Lock, Thread

import structlog

from perfcast.errors import BrokenVersion, NotFound, NoUsableModel, PerfcastError
from perfcast.manifest import Move
from perfcast.monitoring import CorrectionNews
from perfcast.processors import processors
from perfcast.registry import Registry, Snapshot, Version
from perfcast.serving._arms import NAMED, Arm, Key
from perfcast.serving._cache import GraphCache, Slot, reason_of
from perfcast.serving._plan import exact, plan, rank
from perfcast.serving._predictor import Predictor, declared_workload
from perfcast.serving._reader import Reader
from perfcast.serving._refusals import Refusals
from perfcast.serving._routes import Routes
from perfcast.sessions import ON_CPU, Inference
from perfcast.workloads import Workload

_KEPT = 64
_RETRY_SECONDS = 5.0
_LOADERS = 4
_CORRECT_SECONDS = 5.0
"""How often to ask for corrections, which change a few times a minute; asking slows the thread that answers."""

log = structlog.stdlib.get_logger("perfcast.serving")


class Follower:
    """Loads what the registry says shall be served, and swaps it in without a gap (rule R7).

    A thread polls the registry's revision. When it has changed, new versions are loaded and warmed, and then one
    reference is replaced. A version that can't be loaded leaves the former one in its place. While the database is
    down, what is loaded stays.

    Args:
        registry: What to follow.
        zone: As for `Reader`.
        refresh_seconds: How often to look.
        workloads: Gives every known workload, also those without a model; called once, at the first
            request that fits no loaded model's workload.
        corrections: Tells how intervals are to be moved; None where they stay as they were calibrated.
        cache_bytes: Bytes of graphs that may be in memory; 0 for no bound.
        inference: Where to run graphs.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        zone: tzinfo,
        refresh_seconds: float,
        workloads: Callable[[], Mapping[str, Workload]],
        corrections: CorrectionNews | None = None,
        cache_bytes: int = 0,
        inference: Inference = ON_CPU,
    ) -> None:
        self.cache = GraphCache(self._open, cache_bytes)
        self.routes = Routes(others=self._other_readers, bounded=self.cache.bounded)
        self._registry = registry
        self._zone = zone
        self._refresh_seconds = refresh_seconds
        self._workloads = workloads
        self._corrections = corrections
        self._inference = inference
        self._readers: dict[Workload, Reader] = {}
        self._others: Sequence[Reader] | None = None
        self._refusals = Refusals()
        self._planned = self.routes  # without the versions that are kept because they were named
        self._slots: dict[tuple[str, int], Slot] = {}
        self._kept: dict[str, Slot] = {}
        self._moves: Mapping[tuple[str, int], Mapping[str, Move]] = {}
        self._lock = Lock()  # held while the registry is read and what is new is loaded
        self._swap = Lock()  # held for the moment in which slots and routes are replaced
        self._loaders = ThreadPoolExecutor(_LOADERS, thread_name_prefix="perfcast-loader")
        self._loading: dict[Slot | str, Future[Predictor]] = {}
        self._stop = Event()
        self._retry_at = 0.0
        self._correct_at = 0.0
        self._blind = False
        self._thread = Thread(target=self._follow, name="perfcast-follower", daemon=True)

    def start(self, *, look: bool = True) -> None:
        """Look once, unless that is to be left to the thread too, then keep following in a thread."""
        if look:
            self._look()
        self._thread.start()

    def close(self) -> None:
        """Stop following; what is loaded stays loaded."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._loaders.shutdown(wait=False, cancel_futures=True)

    def refresh(self) -> None:
        """Bring the routes up to the registry's present state before returning."""
        with self._lock:
            self._rebuild()
            self._correct()

    def load(self, version: Version) -> Predictor:
        """A warm predictor of that version, the loaded one where there is one.

        Raises:
            BrokenVersion: It can't be read or run.
        """
        return self.cache.load(self._slot(version))

    def refusal(self, reference: str) -> PerfcastError | None:
        """Why a reference was refused a moment ago, where nothing has changed since; asks nobody."""
        return self._refusals.find(reference, self.routes.revision)

    def fetch(self, what: Slot | str) -> "Future[Predictor]":
        """Load a slot, or reach a reference, in a thread: one load, however many ask for the same at once.

        The future fails as `reach` does. Don't cancel it: others may wait for it too.

        Raises:
            NoUsableModel: Following has ended.
        """
        with self._swap:
            future = self._loading.get(what)
            if future is None:
                work = self._obtain if isinstance(what, Slot) else self.reach
                try:
                    future = self._loaders.submit(work, what)  # type: ignore[arg-type]
                except RuntimeError:  # of an executor that was shut down
                    raise NoUsableModel("this process is about to end; ask again, and another answers") from None
                self._loading[what] = future
                future.add_done_callback(lambda _: self._loading.pop(what, None))
        return future

    async def fetched(self, what: Slot | str) -> Predictor:
        """What `fetch` gives, awaited on an event loop; who waits may leave, the load goes on."""
        return await shield(wrap_future(self.fetch(what)))

    def reach(self, reference: str) -> Predictor:
        """Load what a reference means and keep answering to it.

        Raises:
            InvalidInput: It is no reference.
            NotFound: There is no such model or version.
            NoUsableModel: The model has no champion, or the version can't be read or run.
            Unavailable: The registry can't be asked just now.
        """
        arm = self.routes.arm(reference)
        if arm is not None:
            return self._obtain(arm.slot)
        return self._remembering(reference, lambda: self._reach(reference))

    def pick(self, reference: str | None, workload: str, key: Key) -> tuple[Arm, Predictor]:
        """Who answers one caller, as `Routes.pick`, its graph in memory; waits where that has to be loaded.

        Raises:
            NoUsableModel: There is nobody that can answer; says what to do.
        """
        arm = self.routes.pick(reference, workload, key)
        return arm, arm.slot.predictor or self._obtain(arm.slot)

    def _reach(self, reference: str) -> Predictor:
        version = self._registry.resolve(reference)
        revision = self._registry.revision()
        slot = self._slot(version)
        predictor = self.cache.load(slot)
        with self._swap:
            self._kept.pop(version.reference, None)
            self._kept[version.reference] = slot
            if len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
            self._publish()
        if revision != self.routes.revision:  # an alias may be new, or the version gone by now
            self.refresh()
        return predictor

    def _obtain(self, slot: Slot) -> Predictor:
        """The predictor of a slot among the routes."""
        return self._remembering(slot.name, lambda: self.cache.load(slot))

    def _remembering(self, name: str, load: Callable[[], Predictor]) -> Predictor:
        """What that loads, or why it was refused a moment ago."""
        revision = self.routes.revision
        refusal = self._refusals.find(name, revision)
        if refusal is not None:
            raise refusal
        try:
            return load()
        except (NotFound, NoUsableModel) as error:
            self._refusals.add(name, error, revision)
            raise
        except BrokenVersion as error:
            self._retry_at = 0.0
            broken = NoUsableModel(f"model '{name}' can't answer: {error}")
            self._refusals.add(name, broken, revision, seconds=_RETRY_SECONDS)
            raise broken from None

    def _open(self, slot: Slot) -> Predictor:
        graph = self._registry.graph(slot.version)
        return Predictor(slot.version, graph, zone=self._zone, reader=slot.reader, inference=self._inference)

    def _slot(self, version: Version) -> Slot:
        """The version's slot, made if it is new.

        Raises:
            BrokenVersion: Its manifest declares no usable workload.
        """
        key = (version.model, version.number)
        with self._swap:
            present = self._slots.get(key)
        if present is not None and present.version.manifest == version.manifest:
            return present
        slot = Slot(version, self._reader_of(declared_workload(version)))
        with self._swap:
            slot.correct(self._moves.get(key, {}))
            self._slots[key] = slot
        return slot

    def _follow(self) -> None:
        while not self._stop.wait(self._refresh_seconds):
            self._look()

    def _look(self) -> None:
        try:
            with self._lock:
                if self._registry.revision() != self.routes.revision or self._is_to_be_tried_again():
                    self._rebuild()
                if time.monotonic() >= self._correct_at:
                    self._correct()
            self._blind = False
        except Exception as error:  # noqa: BLE001 - whatever the database's driver raises; what is loaded keeps answering
            if not self._blind:
                log.error("the registry can't be read; what is loaded keeps answering", reason=str(error))
            self._blind = True

    def _correct(self) -> None:
        """Move the intervals of all versions as their actuals say, where that has changed."""
        self._correct_at = time.monotonic() + _CORRECT_SECONDS
        moves = self._corrections.look() if self._corrections is not None else None
        if moves is None:
            return
        with self._swap:
            former, self._moves = self._moves, moves
            for key, slot in self._slots.items():
                if former.get(key) != moves.get(key):
                    slot.correct(moves.get(key, {}))

    def _is_to_be_tried_again(self) -> bool:
        failing = bool(self.routes.problems) or any(slot.reason is not None for slot in self.routes.slots)
        return failing and time.monotonic() >= self._retry_at

    def _rebuild(self) -> None:
        snapshot = self._registry.snapshot()
        slots, reasons = self._slots_of(snapshot)
        self._load_new(rank(snapshot, slots), first=self._planned.revision < 0)
        planned = plan(snapshot, slots, reasons, self._planned)
        for reference, reason in planned.problems.items():
            if self.routes.problems.get(reference) != reason:
                log.error("model can't be loaded", model=reference, reason=reason)
        for reference, reason in planned.notes.items():
            if self.routes.notes.get(reference) != reason:
                log.warning("version isn't asked", model=reference, reason=reason)
        with self._swap:
            self._planned = planned
            existing = {f"{model.name}:{number}" for model in snapshot.models for number in model.versions}
            self._kept = {name: slot for name, slot in self._kept.items() if name in existing}
            self._publish()
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _slots_of(self, snapshot: Snapshot) -> tuple[dict[tuple[str, int], Slot], dict[tuple[str, int], str]]:
        """The versions that aliases point to, or why one has no slot; only what is new is read."""
        with self._swap:
            known = dict(self._slots)
        slots = {
            key: known[key]
            for key, graph in snapshot.graphs.items()
            if key in known and known[key].version.manifest.graph.sha256 == graph
        }
        reasons: dict[tuple[str, int], str] = {}
        missing = snapshot.graphs.keys() - slots.keys()
        for key, version in self._registry.some_versions(missing).items() if missing else ():
            if isinstance(version, BrokenVersion):
                reasons[key] = str(version)
                continue
            try:
                slots[key] = self._slot(version)
            except Exception as error:  # noqa: BLE001 - a declaration made elsewhere may fail in any way
                reasons[key] = reason_of(error)
        return slots, reasons

    def _load_new(self, slots: Sequence[Slot], *, first: bool) -> None:
        """Load what doesn't answer yet, or failed; at the first look only as much as there is room for."""
        serving = self.routes.slots
        new = [slot for slot in slots if slot.predictor is None and (slot not in serving or slot.reason is not None)]
        if first:
            new = self.cache.fitting(new)
        with ThreadPoolExecutor(min(_LOADERS, processors()), "perfcast-loader") as pool:
            for loading in [pool.submit(self.cache.load, slot) for slot in new]:
                loading.exception()  # the slot keeps the reason

    def _publish(self) -> None:
        """Put plan and kept versions in place; the swap lock is held."""
        kept = {name: Arm(NAMED, slot) for slot in self._kept.values() for name in exact(slot)}
        self.routes = replace(self._planned, arms=kept | dict(self._planned.arms))
        former, self._slots = self._slots, {(slot.model, slot.number): slot for slot in self.routes.slots}
        for key in self._slots.keys() - former.keys():  # it may have missed a correction
            self._slots[key].correct(self._moves.get(key, {}))
        self.cache.keep_only(self.routes.slots)

    def _reader_of(self, workload: Workload) -> Reader:
        reader = self._readers.get(workload)
        return reader if reader is not None else self._readers.setdefault(workload, Reader(workload, self._zone))

    def _other_readers(self) -> Sequence[Reader]:
        if self._others is None:
            readers = []
            for workload in self._workloads().values():
                try:
                    readers.append(self._reader_of(workload))
                except Exception as error:  # noqa: BLE001 - one that msgspec can't express must not end a request
                    log.warning("workload can't be read", workload=workload.name, reason=str(error))
            self._others = readers
        return self._others
