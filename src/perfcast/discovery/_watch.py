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
    workloads = survey_workloads(settings.workloads_dir).workloads
    registry = Registry(database, Blobs(settings.artifacts_address))
    converter = make_converter(settings, workloads)
    discovery = Discovery(settings.models_dir, registry, Records(database), converter, workloads, stopping=stopping)
    try:
        _look_on(discovery, database, stopping, settings.models_poll_seconds)
    except Stopped:
        log.info("discovery ended while it converted")
    finally:
        database.close()


def _look_on(discovery: Discovery, database: Database, stopping: Event, seconds: float) -> None:
    """Look when something has changed, and say once what is in the way."""
    seen: tuple[Stamp, ...] | None = None
    complaint = ""
    while not stopping.is_set():
        try:
            found = scan(discovery.folder)
            if found.signature != seen:
                database.migrate()
                for _ in discovery.look(found):
                    pass
                seen, complaint = found.signature, ""
        except Stopped:
            raise
        except (PerfcastError, OSError) as error:
            if str(error) != complaint:
                log.warning("models can't be discovered; trying again", reason=str(error))
            complaint = str(error)
        stopping.wait(seconds)
