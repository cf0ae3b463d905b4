"""What a command works with, built once from the settings and closed at its end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perfcast.datasets import Datasets
    from perfcast.manifest import Calibration
    from perfcast.monitoring import Correction
    from perfcast.registry import Registry, Version
    from perfcast.serving import Predictor
    from perfcast.settings import Settings
    from perfcast.storage import Database
    from perfcast.workloads import Workload


@dataclass(frozen=True)
class Workbench:
    """The rooms, composed."""

    settings: "Settings"
    database: "Database"
    datasets: "Datasets"
    registry: "Registry"
    workloads: "Mapping[str, Workload]"

    def predictor(self, version: "Version") -> "Predictor":
        """What answers with a version.

        Raises:
            PerfcastError: It can't answer.
        """
        from perfcast.serving import Predictor

        return Predictor(version, self.registry.graph(version), zone=self.settings.service_timezone)

    def correction(self, version: "Version") -> "Correction | None":
        """How a version's intervals are corrected at present; None where they are as they were calibrated."""
        from perfcast.monitoring import read_corrections

        key = (version.model, version.number)
        with self.database.read() as connection:
            correction = read_corrections(connection, [key]).get(key)
        return correction if correction is not None and correction.moves else None

    def calibration(self, version: "Version") -> "Calibration | None":
        """How wide a version's intervals are at present."""
        own, correction = version.manifest.calibration, self.correction(version)
        return own.corrected(correction.moves) if own is not None and correction is not None else own


@contextmanager
def workbench(settings: "Settings | None" = None) -> Iterator[Workbench]:
    """Open the database (bringing its schema up to date) and what stands on it; logs are a command's from here on."""
    from perfcast.cli._output import say
    from perfcast.datasets import Datasets
    from perfcast.logs import configure_logs
    from perfcast.registry import Registry
    from perfcast.settings import load_settings
    from perfcast.storage import Blobs, Database
    from perfcast.workloads import load_workloads

    settings = settings or load_settings()
    configure_logs(settings, of_command=True)
    if not settings.database_url and not (settings.data_dir / "perfcast.db").exists():
        folder = settings.data_dir.absolute()
        say(f"{folder} is new, and everything is kept there; a server started elsewhere has its own (DATA_DIR)")
    database = Database(settings.database_address, pool_size=settings.database_pool_size)
    try:
        if not database.is_current():
            database.migrate()
        blobs = Blobs(settings.artifacts_address)
        workloads = load_workloads(settings.workloads_dir)
        yield Workbench(settings, database, Datasets(database, blobs), Registry(database, blobs), workloads)
    finally:
        database.close()
