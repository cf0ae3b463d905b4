"""Keeping the newest routes in place while the registry changes."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from threading import Event, Lock, Thread

import structlog

from perfcast.errors import BrokenVersion, NotFound, NoUsableModel, PerfcastError
from perfcast.registry import CHAMPION, ModelSummary, Registry, Version
from perfcast.serving._predictor import Predictor, declared_workload
from perfcast.serving._reader import Reader
from perfcast.serving._refusals import Refusals
from perfcast.serving._routes import Routes
from perfcast.serving._session import ON_CPU, Inference
from perfcast.workloads import Workload

_KEPT = 64
_RETRY_SECONDS = 5.0

log = structlog.stdlib.get_logger("perfcast.serving")


class Follower:
    """Loads what the registry says shall be served, and swaps it in without a gap (rule R7).

    A thread polls the registry's revision. When it has changed, new versions are loaded and warmed, and then one
    reference is replaced. A version that can't be loaded leaves the former one in its place. While the database is
    down, what is loaded stays.

    Args:
        registry: What to follow.
        zone: The service's time zone.
        refresh_seconds: How often to look.
        workloads: Gives every known workload, also those without a model; called once, at the first
            request that fits no loaded model's workload.
        inference: Where to run graphs.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        zone: tzinfo,
        refresh_seconds: float,
        workloads: Callable[[], Mapping[str, Workload]],
        inference: Inference = ON_CPU,
    ) -> None:
        self.routes = Routes(others=self._other_readers)
        self._registry = registry
        self._zone = zone
        self._refresh_seconds = refresh_seconds
        self._workloads = workloads
        self._inference = inference
        self._readers: dict[Workload, Reader] = {}
        self._others: Sequence[Reader] | None = None
        self._refusals = Refusals()
        self._versions: dict[tuple[str, int], Predictor] = {}
        self._kept: dict[str, Predictor] = {}
        self._lock = Lock()
        self._stop = Event()
        self._retry_at = 0.0
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

    def refresh(self) -> None:
        """Bring the routes up to the registry's present state before returning."""
        with self._lock:
            revision = self._registry.revision()
            self._rebuild(revision)

    def load(self, version: Version) -> Predictor:
        """A warm predictor of that version, the loaded one where there is one.

        Raises:
            BrokenVersion: It can't be read or run.
        """
        key = (version.model, version.number)
        present = self._versions.get(key)
        if present is not None and present.version.manifest == version.manifest:
            return present
        predictor = Predictor(
            version,
            self._registry.graph(version),
            zone=self._zone,
            reader=self._reader_of(declared_workload(version)),
            inference=self._inference,
        )
        self._versions[key] = predictor
        log.info("model loaded successfully", model=version.model, version=version.number, type=version.type)
        return predictor

    def refusal(self, reference: str) -> PerfcastError | None:
        """Why a reference was refused a moment ago, where nothing has changed since; asks nobody."""
        return self._refusals.find(reference, self.routes.revision)

    def reach(self, reference: str) -> Predictor:
        """Load what a reference means and keep answering to it; for references that aren't in the routes.

        Raises:
            InvalidInput: It is no reference.
            NotFound: There is no such model or version.
            NoUsableModel: The model has no champion, or the version can't be read or run.
            Unavailable: The registry can't be asked just now.
        """
        revision = self.routes.revision
        refusal = self._refusals.find(reference, revision)
        if refusal is not None:
            raise refusal
        try:
            return self._reach(self._registry.resolve(reference))
        except (NotFound, NoUsableModel) as error:
            self._refusals.add(reference, error, revision)
            raise
        except BrokenVersion as error:
            broken = NoUsableModel(f"model '{reference}' can't answer: {error}")
            self._refusals.add(reference, broken, revision, seconds=_RETRY_SECONDS)
            raise broken from None

    def _reach(self, version: Version) -> Predictor:
        with self._lock:
            predictor = self.load(version)
            self._kept.pop(version.reference, None)
            self._kept[version.reference] = predictor
            while len(self._kept) > _KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._rebuild(self._registry.revision())
            return predictor

    def _follow(self) -> None:
        while not self._stop.wait(self._refresh_seconds):
            self._look()

    def _look(self) -> None:
        try:
            with self._lock:
                revision = self._registry.revision()
                retry = bool(self.routes.problems) and time.monotonic() >= self._retry_at
                if revision != self.routes.revision or retry:
                    self._rebuild(revision)
            self._blind = False
        except Exception as error:  # noqa: BLE001 - whatever the database's driver raises; what is loaded keeps answering
            if not self._blind:
                log.error("the registry can't be read; what is loaded keeps answering", reason=str(error))
            self._blind = True

    def _rebuild(self, revision: int) -> None:
        predictors: dict[str, Predictor] = {}
        problems: dict[str, str] = {}
        summaries = self._registry.models()
        for summary in summaries:
            self._add_model(summary, predictors, problems)
        self._add_kept(summaries, predictors, problems)
        self._report(problems)
        self.routes = Routes(revision, predictors, self._registry.defaults(), problems, self._other_readers)
        self._versions = {(item.model, item.number): item for item in self.routes.loaded}
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _add_model(self, summary: ModelSummary, predictors: dict[str, Predictor], problems: dict[str, str]) -> None:
        for alias, number in summary.aliases.items():
            references = [f"{summary.name}@{alias}", *([summary.name] if alias == CHAMPION else [])]
            predictor = self._load_or_former(summary.name, number, references, problems)
            if predictor is not None:
                predictors.update(dict.fromkeys([*references, *_exact(predictor)], predictor))

    def _load_or_former(
        self, model: str, number: int, references: Sequence[str], problems: dict[str, str]
    ) -> Predictor | None:
        former = self.routes.predictors.get(references[0])
        predictor, reason = self._attempt(model, number, former)
        if reason is not None:
            problems.update(dict.fromkeys(references, reason))
        return predictor

    def _attempt(self, model: str, number: int, former: Predictor | None) -> tuple[Predictor | None, str | None]:
        """The version's predictor; or the former one, and why: one bad version must not keep others from changing.

        Raises:
            Unavailable: The database can't be asked; what is loaded had better stay as it is.
        """
        still = f"; version {former.number} still answers" if former is not None else ""
        try:
            version = self._registry.version(model, number)
        except (BrokenVersion, NotFound) as error:
            return former, f"{error}{still}"
        try:
            return self.load(version), None
        except PerfcastError as error:
            return former, f"{error}{still}"
        except Exception as error:  # noqa: BLE001 - a store's driver and a declaration made elsewhere may fail in any way
            return former, f"{type(error).__name__}: {error}{still}"

    def _add_kept(
        self, summaries: Sequence[ModelSummary], predictors: dict[str, Predictor], problems: dict[str, str]
    ) -> None:
        existing = {(summary.name, number) for summary in summaries for number in summary.versions}
        for reference, former in list(self._kept.items()):
            if (former.model, former.number) not in existing:
                del self._kept[reference]
                continue
            predictor, reason = self._attempt(former.model, former.number, former)
            self._kept[reference] = predictor or former
            if reason is not None:
                problems.setdefault(reference, reason)
            for name in _exact(self._kept[reference]):
                predictors.setdefault(name, self._kept[reference])

    def _report(self, problems: Mapping[str, str]) -> None:
        for reference, reason in problems.items():
            if self.routes.problems.get(reference) != reason:
                log.error("model can't be loaded", model=reference, reason=reason)

    def _reader_of(self, workload: Workload) -> Reader:
        if workload not in self._readers:
            self._readers[workload] = Reader(workload, self._zone)
        return self._readers[workload]

    def _other_readers(self) -> Sequence[Reader]:
        if self._others is None:
            self._others = [reader for item in self._workloads().values() if (reader := self._reader_or_none(item))]
        return self._others

    def _reader_or_none(self, workload: Workload) -> Reader | None:
        try:
            return self._reader_of(workload)
        except Exception as error:  # noqa: BLE001 - a declaration that msgspec can't express must not end a request
            log.warning("workload can't be read", workload=workload.name, reason=str(error))
            return None


def _exact(predictor: Predictor) -> list[str]:
    """The references that always mean this version."""
    label = predictor.version.label
    return [predictor.name, *([f"{predictor.model}:{label}"] if label else [])]
