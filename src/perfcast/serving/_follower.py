"""Keeping the newest routes in place while the registry changes."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from threading import Event, Lock, Thread

import structlog

from perfcast.errors import BrokenVersion, NotFound, NoUsableModel
from perfcast.registry import CHAMPION, ModelSummary, Registry, Version
from perfcast.serving._predictor import Predictor, declared_workload
from perfcast.serving._reader import Reader
from perfcast.serving._routes import Routes
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
        workloads: Gives every known workload, also those without a model; called at the first mistaken request.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        zone: tzinfo,
        refresh_seconds: float,
        workloads: Callable[[], Mapping[str, Workload]],
    ) -> None:
        self.routes = Routes(others=self._other_readers)
        self._registry = registry
        self._zone = zone
        self._refresh_seconds = refresh_seconds
        self._workloads = workloads
        self._readers: dict[Workload, Reader] = {}
        self._versions: dict[tuple[str, int], Predictor] = {}
        self._kept: dict[str, Predictor] = {}
        self._lock = Lock()
        self._stop = Event()
        self._retry_at = 0.0
        self._blind = False
        self._thread = Thread(target=self._follow, name="perfcast-follower", daemon=True)

    def start(self) -> None:
        """Look once, then keep following in a thread."""
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
        )
        self._versions[key] = predictor
        log.info("model loaded successfully", model=version.model, version=version.number, type=version.type)
        return predictor

    def reach(self, reference: str) -> Predictor:
        """Load what a reference means and keep answering to it; for references that aren't in the routes.

        Raises:
            NotFound: There is no such model or version.
            NoUsableModel: The model has no champion, or the version can't be read or run.
            Unavailable: The registry can't be asked just now.
        """
        with self._lock:
            try:
                predictor = self.load(self._registry.resolve(reference))
            except BrokenVersion as error:
                raise NoUsableModel(f"model '{reference}' can't answer: {error}") from None
            self._kept.pop(reference, None)
            self._kept[reference] = predictor
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
        for summary in self._registry.models():
            self._add_model(summary, predictors, problems)
        self._add_kept(predictors, problems)
        self._report(problems)
        self.routes = Routes(revision, predictors, self._registry.defaults(), problems, self._other_readers)
        self._versions = {(item.model, item.number): item for item in self.routes.loaded}
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def _add_model(self, summary: ModelSummary, predictors: dict[str, Predictor], problems: dict[str, str]) -> None:
        for alias, number in summary.aliases.items():
            references = [f"{summary.name}@{alias}", *([summary.name] if alias == CHAMPION else [])]
            predictor = self._load_or_former(summary.name, number, references, problems)
            if predictor is not None:
                label = predictor.version.label
                exact = [predictor.name, *([f"{summary.name}:{label}"] if label else [])]
                predictors.update(dict.fromkeys([*references, *exact], predictor))

    def _load_or_former(
        self, model: str, number: int, references: Sequence[str], problems: dict[str, str]
    ) -> Predictor | None:
        try:
            return self.load(self._registry.version(model, number))
        except (BrokenVersion, NotFound) as error:
            former = self.routes.predictors.get(references[0])
            still = f"; version {former.number} still answers" if former is not None else ""
            problems.update(dict.fromkeys(references, f"{error}{still}"))
            return former

    def _add_kept(self, predictors: dict[str, Predictor], problems: dict[str, str]) -> None:
        for reference, former in list(self._kept.items()):
            try:
                self._kept[reference] = self.load(self._registry.resolve(reference))
            except (NotFound, NoUsableModel):
                del self._kept[reference]
                continue
            except BrokenVersion as error:
                problems[reference] = f"{error}; version {former.number} still answers"
            predictors.setdefault(reference, self._kept[reference])

    def _report(self, problems: Mapping[str, str]) -> None:
        for reference, reason in problems.items():
            if self.routes.problems.get(reference) != reason:
                log.error("model can't be loaded", model=reference, reason=reason)

    def _reader_of(self, workload: Workload) -> Reader:
        if workload not in self._readers:
            self._readers[workload] = Reader(workload, self._zone)
        return self._readers[workload]

    def _other_readers(self) -> Sequence[Reader]:
        return [self._reader_of(workload) for workload in self._workloads().values()]
