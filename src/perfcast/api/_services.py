"""The composition root of an API process."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from perfcast.api._identifiers import Identifiers
from perfcast.api._predict import Predict
from perfcast.api._probes import UNKNOWN_SYSTEM, Probe, system_info
from perfcast.api._tally import Tally
from perfcast.errors import PerfcastError
from perfcast.monitoring import PredictionLog
from perfcast.registry import Registry
from perfcast.serving import Follower
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import Workload, load_workloads

log = structlog.stdlib.get_logger("perfcast.api")


class Services:
    """All that the API needs, made from the settings; opened and closed with the application.

    Attributes:
        settings: What was configured.
        database, blobs, registry: The state.
        follower: What is served.
        predict: Answers `/predict`.
        tally: What is counted.
        records: The log of predictions; None where `PREDICTION_LOG` is off.
        dependencies: Watches what the process depends on.
        draining: Whether the process is about to end.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database_address, pool_size=settings.database_pool_size)
        self.blobs = Blobs(settings.artifacts_address)
        self.registry = Registry(self.database, self.blobs)
        self.tally = Tally()
        self.identifiers = Identifiers()
        self.follower = Follower(
            self.registry,
            zone=ZoneInfo(settings.service_timezone),
            refresh_seconds=settings.refresh_seconds,
            workloads=self._known_workloads,
        )
        self.records = (
            PredictionLog(self.database, seconds=settings.prediction_log_seconds) if settings.prediction_log else None
        )
        self.predict = Predict(self.follower, self.tally, self.records)
        self.dependencies = (
            Probe("database", self.database.ping),
            Probe("artifacts", lambda: self.blobs.exists("0" * 64)),
        )
        self._system = Probe("system", lambda: system_info(str(_existing(settings.data_dir))))
        self._opened = ExitStack()
        self._began = time.monotonic()
        self._workloads: Mapping[str, Workload] | None = None
        self.draining = False

    def open(self) -> None:
        """Migrate, load what is to be served, start the threads."""
        self._began = time.monotonic()
        self._opened.callback(self.database.close)
        self._migrate()
        if self.records is not None:
            self.records.start()
            self._opened.callback(self.records.close)
        self.follower.start()
        self._opened.callback(self.follower.close)
        for probe in (*self.dependencies, self._system):
            probe.start()
            self._opened.callback(probe.close)
        log.info("ready" if self.ready else "no usable model yet", models=len(self.follower.routes.champions))

    def close(self) -> None:
        """Stop the threads, write what waits, close the database."""
        self.draining = True
        self._opened.close()

    @property
    def ready(self) -> bool:
        """Whether some model answers and the process isn't about to end."""
        return bool(self.follower.routes.champions) and not self.draining

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the services were opened."""
        return round(time.monotonic() - self._began, 3)

    @property
    def system_info(self) -> dict[str, float]:
        """The machine's state at the last look."""
        finding = self._system.finding
        value: dict[str, Any] | None = finding.value if finding is not None else None
        return value or UNKNOWN_SYSTEM

    def _migrate(self) -> None:
        try:
            self.database.migrate()
        except PerfcastError as error:  # the routes say 503 and /health says why, until it is there
            log.error("the database can't be prepared", reason=str(error))

    def _known_workloads(self) -> Mapping[str, Workload]:
        if self._workloads is None:
            self._workloads = load_workloads(self.settings.workloads_dir)
        return self._workloads


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())
