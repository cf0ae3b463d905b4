"""The thread that looks at `MODELS_DIR` while a worker runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import structlog

from perfcast.discovery._converter import Converter
from perfcast.discovery._discovery import Discovery
from perfcast.discovery._records import Records
from perfcast.discovery._scan import Stamp, scan
from perfcast.errors import PerfcastError, Stopped
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import Workload, survey_workloads

USUAL_WORKLOAD = "cnn-execution-time"
"""What the predecessor's models predict."""

log = structlog.stdlib.get_logger("perfcast.discovery")


def make_converter(settings: Settings, workloads: Mapping[str, Workload]) -> Converter:
    """A converter as configured."""
    ordered = sorted(workloads.values(), key=lambda workload: workload.name != USUAL_WORKLOAD)
    documents: list[Mapping[str, Any]] = [workload.document() for workload in ordered]
    return Converter(documents, settings.models_convert_seconds, unconfined=settings.models_unconfined)


@contextmanager
def watching(settings: Settings) -> Iterator[None]:
    """Discover models in a thread until left; nothing where `MODELS_DIR` isn't set."""
    if settings.models_dir is None:
        yield
        return
    stopping = Event()
    thread = Thread(target=_watch, args=(settings, stopping), name="perfcast-discovery", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _watch(settings: Settings, stopping: Event) -> None:
    assert settings.models_dir is not None
    database = Database(settings.database_address, pool_size=1)
    workloads = dict(survey_workloads(settings.workloads_dir).workloads)
    registry = Registry(database, Blobs(settings.artifacts_address))
    converter = make_converter(settings, workloads)
    discovery = Discovery(settings.models_dir, registry, Records(database), converter, workloads, stopping=stopping)
    watch = _Watch(discovery, database)
    try:
        while not stopping.is_set():
            watch.turn()
            stopping.wait(settings.models_poll_seconds)
    except Stopped:
        log.info("discovery ended while it converted")
    finally:
        database.close()


class _Watch:
    """Looks when something has changed, and says once what is in the way."""

    def __init__(self, discovery: Discovery, database: Database) -> None:
        self._discovery, self._database = discovery, database
        self._seen: tuple[Stamp, ...] | None = None
        self._complaint = ""

    def turn(self) -> None:
        """One look, where the folder is not as it was at the last."""
        try:
            seen = scan(self._discovery.folder)
            if seen.signature == self._seen:
                return
            self._database.migrate()
            for _ in self._discovery.look(seen):
                pass
            self._seen = seen.signature
            self._complaint = ""
        except Stopped:
            raise
        except (PerfcastError, OSError) as error:
            if str(error) != self._complaint:
                log.warning("models can't be discovered; trying again", reason=str(error))
            self._complaint = str(error)
