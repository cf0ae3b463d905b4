"""A worker as a process: composed from the settings, ended by signals or together with the process that began it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from types import FrameType
from zoneinfo import ZoneInfo

import structlog

from perfcast.datasets import Datasets
from perfcast.errors import Unavailable
from perfcast.jobs._exporter import Exporter
from perfcast.jobs._jobs import Jobs
from perfcast.jobs._retention import Retention
from perfcast.jobs._submission import Submissions
from perfcast.jobs._transport import make_transport
from perfcast.jobs._worker import Worker
from perfcast.jobs.schedules import Scheduler, Schedules
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import survey_workloads

_DRAIN_SECONDS = 15.0
_WAIT_SECONDS = 1.0

log = structlog.stdlib.get_logger("perfcast.jobs")


def run_worker(settings: Settings, *, attached: bool = False) -> None:
    """Work until SIGTERM or SIGINT; running jobs are then handed back. A second SIGINT ends at once.

    Args:
        settings: What is configured.
        attached: End also when standard input does, which is when the process that holds its other end dies.
    """
    database = Database(settings.database_address, pool_size=settings.worker_concurrency + 2)
    transport = make_transport(settings)
    try:
        jobs = Jobs(database, transport, attempts=settings.job_attempts)
        scheduler, retention = _scheduler(settings, database, jobs), Retention(settings, database)
        worker = Worker(settings, jobs, transport, threads=_processors(), scheduler=scheduler, retention=retention)

        def stop(number: int, _frame: FrameType | None) -> None:
            worker.stop()
            signal.signal(number, signal.SIG_DFL)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        if attached:
            Thread(target=_stop_with_stdin, args=(worker,), name="perfcast-attached", daemon=True).start()
        if _migrated(database, worker):
            if settings.mlflow_tracking_uri:
                blobs = Blobs(settings.artifacts_address)
                Exporter(settings.mlflow_tracking_uri, database, Registry(database, blobs)).start()
            worker.run()
    finally:
        transport.close()
        database.close()


def _scheduler(settings: Settings, database: Database, jobs: Jobs) -> Scheduler:
    blobs = Blobs(settings.artifacts_address)
    workloads = survey_workloads(settings.workloads_dir).workloads
    submissions = Submissions(Datasets(database, blobs), Registry(database, blobs), workloads)
    return Scheduler(Schedules(database, submissions, ZoneInfo(settings.service_timezone)), jobs)


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


@contextmanager
def attached_worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker as a child of this process, drained at the end and also when this process is killed.

    Args:
        settings: Given to it as environment variables.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "perfcast", "worker", "--attached"],
        stdin=subprocess.PIPE,
        env=settings.child_environment,
        start_new_session=True,  # Ctrl-C reaches this process, which then ends the worker in its own time
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(_DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _stop_with_stdin(worker: Worker) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    worker.stop()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
