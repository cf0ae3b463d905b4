"""A worker as a process: composed from the settings, ended by signals or together with the process that began it."""

import signal
import time
from types import FrameType

import structlog

from perfcast.datasets import Datasets
from perfcast.errors import Unavailable
from perfcast.jobs.mlflow import Exporter
from perfcast.jobs.queue import Jobs, Submissions, make_transport
from perfcast.jobs.schedules import Scheduler, Schedules
from perfcast.jobs.worker._chore import Chore
from perfcast.jobs.worker._retention import EVERY_SECONDS, Retention
from perfcast.jobs.worker._worker import Worker
from perfcast.monitoring import Archive, Corrections, LiveAccuracy, Observer, Watcher, versions_of
from perfcast.monitoring import Retention as PredictionRetention
from perfcast.monitoring.drift import Drift
from perfcast.processes import when_owner_ends
from perfcast.processors import processors
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.telemetry import exporting
from perfcast.workloads import survey_workloads

_WAIT_SECONDS = 1.0
_EXPORT_SECONDS = 5.0

log = structlog.stdlib.get_logger("perfcast.jobs")


def run_worker(settings: Settings, *, attached: bool = False) -> None:
    """Work until SIGTERM or SIGINT; running jobs are then handed back. A second SIGINT ends at once.

    One that is attached ends also when its standard input does: when the process that holds the other end dies.
    """
    with exporting(settings, "perfcast-worker"):
        _run_worker(settings, attached=attached)


def _run_worker(settings: Settings, *, attached: bool) -> None:
    database = Database(settings.database_address, pool_size=settings.worker_concurrency + 5)
    transport, blobs = make_transport(settings), Blobs(settings.artifacts_address)
    registry, workloads = Registry(database, blobs), survey_workloads(settings.workloads_dir).workloads
    predictions = _prediction_retention(settings, database, registry)
    submissions = Submissions(Datasets(database, blobs), registry, workloads)
    try:
        jobs = Jobs(database, transport, attempts=settings.job_attempts, retry_seconds=settings.job_retry_seconds)
        schedules = Schedules(database, submissions, settings.service_timezone)
        scheduler = Scheduler(schedules, jobs)
        chores = [
            Chore("schedules", scheduler.look, every_seconds=settings.job_heartbeat_seconds),
            Chore("old studies", Retention(settings, database).look, every_seconds=EVERY_SECONDS),
        ]
        worker = Worker(settings, jobs, transport, threads=processors(), chores=chores)
        stop_at_signals(worker)
        if attached:
            when_owner_ends(worker.stop)
        if _migrated(database, worker):
            if settings.mlflow_tracking_uri:
                exporter = Exporter(settings.mlflow_tracking_uri, database, registry)
                Chore("exports", exporter.look, every_seconds=_EXPORT_SECONDS).follow()
            observer = make_observer(settings, database, registry, schedules)
            Chore("watching", observer.look, every_seconds=settings.observe_seconds).follow()
            Chore("old predictions", predictions.look, every_seconds=EVERY_SECONDS).follow()
            worker.run()
    finally:
        transport.close()
        database.close()


def make_observer(settings: Settings, database: Database, registry: Registry, schedules: Schedules) -> Observer:
    """Looks at predictions and actuals; its watchers keep what becomes of them."""
    version_of = versions_of(registry)
    drift = Drift(version_of, schedules.signal, alarms_per_week=settings.drift_alarms_per_week)
    watchers: list[Watcher] = [LiveAccuracy(version_of), Corrections(version_of), drift]
    return Observer(database, watchers, version_of, wait_hours=settings.actual_wait_hours)


def _prediction_retention(settings: Settings, database: Database, registry: Registry) -> PredictionRetention:
    return PredictionRetention(
        database,
        days=settings.prediction_log_days,
        most_bytes=settings.prediction_log_bytes,
        archive=Archive(settings.prediction_export_url) if settings.prediction_export_url else None,
        features_of=registry.features,
    )


def stop_at_signals(worker: Worker) -> None:
    """Stop a worker at SIGTERM or SIGINT; a second one ends the process at once."""

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        worker.stop()  # takes no lock, and so may be done in a handler

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _migrated(database: Database, worker: Worker) -> bool:
    """Bring the tables up to date as soon as the database answers; False where the worker was stopped before."""
    while not worker.stopping:
        try:
            database.migrate()
        except Unavailable as error:
            log.warning("waiting for the database", reason=str(error))
            time.sleep(_WAIT_SECONDS)
        else:
            return True
    return False
