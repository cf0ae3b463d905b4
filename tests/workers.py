"""Small data and real worker processes, for tests of training jobs."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tests.patience import PATIENCE_SECONDS, until

from perfcast.datasets import Dataset, Datasets
from perfcast.jobs import Asked, Job, Jobs, Submissions, make_transport
from perfcast.jobs.queue import JobRequest
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads

if TYPE_CHECKING:
    import optuna

QUICK = {"job_poll_seconds": 0.5, "job_heartbeat_seconds": 0.5, "job_stale_seconds": 3.0, "worker_concurrency": 1}
"""Settings with which dead workers are noticed soon."""
IMPATIENT = QUICK | {"job_retry_seconds": 0.1}
"""And with which what broke is tried again soon."""

CANCELLED_SECONDS = 30
"""Far less than the jobs of tests would run on; the 5 s that are promised, benchmarks/jobs.py measures."""


def small_dataset(rows: int = 600, *, name: str = "simulated") -> Dataset:
    """CPU utilisation that rises with requests and users, with noise of one percent point."""
    random = np.random.default_rng(0)
    hour, minute = random.uniform(0, 2 * np.pi, (2, rows))
    columns = [random.uniform(0, 400, rows), random.uniform(0, 200, rows), random.uniform(0, 50, rows)]
    columns += [np.sin(hour), np.cos(hour), np.sin(minute), np.cos(minute), random.integers(0, 2, rows)]
    features = np.stack(columns, axis=1).astype(np.float32)
    cost = np.clip(5 + 0.15 * features[:, 0] + 0.05 * features[:, 1] + random.normal(0, 1, rows), 0, 100)
    return Dataset(name, builtin_workloads()["cpu-utilization"], features, cost.astype(np.float32))


class Shop:
    """The rooms of one installation, as a test holds them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database_address)
        self.database.migrate()
        blobs = Blobs(settings.artifacts_address)
        self.registry, self.datasets = Registry(self.database, blobs), Datasets(self.database, blobs)
        self.transport = make_transport(settings)
        self.jobs = Jobs(
            self.database, self.transport, attempts=settings.job_attempts, retry_seconds=settings.job_retry_seconds
        )

    def submit(self, **asked: object) -> Job:
        return self.jobs.submit(self.complete(**asked))

    def complete(self, **asked: object) -> JobRequest:
        return Submissions(self.datasets, self.registry, builtin_workloads()).complete(Asked(**asked))  # type: ignore[arg-type]

    def wait(self, job: Job, *statuses: str, seconds: float = 120) -> Job:
        """The job once it has one of these statuses."""
        return until(lambda: self._if(job, lambda now: now.status in statuses), seconds)

    def wait_until_cancelled(self, job: Job) -> float:
        """Seconds from the wish to cancel to the job's end, by its row, which is what callers see."""
        ended = self.wait(job, "cancelled")
        assert ended.finished_at is not None
        assert ended.cancel_requested_at is not None
        asked, finished = (datetime.fromisoformat(at) for at in (ended.cancel_requested_at, ended.finished_at))
        return (finished - asked).total_seconds()

    def wait_for_trials(self, job: Job, trials: int, *, seconds: float = 120) -> Job:
        """The job once so many of its trials have finished, while it runs."""
        return until(lambda: self._if(job, lambda now: now.progress.trial >= trials), seconds)

    def close(self) -> None:
        self.transport.close()
        self.database.close()

    def _if(self, job: Job, fits: Callable[[Job], bool]) -> Job | None:
        now = self.jobs.find(job.id)
        assert now.status != "failed" or fits(now), now.error
        return now if fits(now) else None


def start_worker(settings: Settings, log: Path | None = None) -> subprocess.Popen[bytes]:
    """A worker process; its log goes to a file, or is given up."""
    environment = os.environ | settings.environment | {"PYTHONPATH": os.pathsep.join(sys.path), "LOG_FORMAT": "json"}
    with (log or settings.data_dir / "worker.log").open("ab") as file:
        return subprocess.Popen([sys.executable, "-m", "perfcast", "worker"], env=environment, stderr=file)


@contextmanager
def working(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process that is drained at the end."""
    worker = start_worker(settings)
    try:
        yield worker
    finally:
        stop(worker)


@contextmanager
def ready_worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process that waits for jobs, drained at the end."""
    log = settings.data_dir / "worker.log"
    with working(settings) as worker:
        name = f"_{worker.pid}_".encode()
        until(lambda: any(b"worker ready" in line and name in line for line in log.read_bytes().splitlines()), 120)
        yield worker


def stop(worker: subprocess.Popen[bytes]) -> float:
    """Drain a worker; gives the seconds it took."""
    begun = time.monotonic()
    if worker.poll() is None:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
            raise
    return time.monotonic() - begun


def training_process(job: Job) -> int | None:
    """The process that trains a job; None where there is none."""
    wanted = {b"perfcast.jobs.worker._child", job.id.encode()}
    found = (process for process, words in _commands() if wanted <= set(words))
    return next(found, None)


def fit_processes(settings: Settings) -> list[int]:
    """The processes in which an installation's searches fit."""
    return [process for process, words in _commands(settings.data_dir) if b"perfcast.training.fits._process" in words]


def training_processes(settings: Settings) -> list[int]:
    """All that trains for an installation: the jobs' training processes and those in which they fit."""
    training = {b"perfcast.jobs.worker._child", b"perfcast.training.fits._process"}
    return [process for process, words in _commands(settings.data_dir) if training.intersection(words)]


def processes_of(folder: Path) -> dict[int, str]:
    """Every process whose `DATA_DIR` is this folder or lies in it, with its command line."""
    return {process: b" ".join(words).decode() for process, words in _commands(folder)}


def _commands(folder: Path | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """Live processes with the words of their command lines; where a folder is given, those that have it as DATA_DIR."""
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            theirs = folder is None or f"DATA_DIR={folder}".encode() in (entry / "environ").read_bytes()
        except (OSError, IndexError):
            continue
        if entry.name.isdigit() and theirs and state != "Z":
            yield int(entry.name), words


def finished_trials(settings: Settings, job: Job) -> dict[int, tuple[str, object]]:
    """Number, state and moment of every trial that has finished and counts."""
    return {trial.number: (trial.state.name, trial.datetime_complete) for trial in study_trials(settings, job)[0]}


def repeated_trials(settings: Settings, job: Job) -> list[int]:
    """Places of the search at which more than one trial has finished, so that a fit was made again for nothing."""
    places = Counter(int(trial.user_attrs["index"]) for trial in study_trials(settings, job)[0])
    return [place for place, finished in sorted(places.items()) if finished > 1]


def study_trials(
    settings: Settings, job: Job
) -> "tuple[list[optuna.trial.FrozenTrial], list[optuna.trial.FrozenTrial]]":
    """What the study of a job has noted: trials that have finished and count, and those that were cut short."""
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    from perfcast.jobs.run._studies import study_address

    address = study_address(job.id, settings)
    kept = RDBStorage(address) if "://" in address else JournalStorage(JournalFileBackend(address))
    trials = optuna.load_study(study_name=job.id, storage=kept).get_trials(deepcopy=False)
    if isinstance(kept, RDBStorage):
        kept.engine.dispose()
    counted = [trial for trial in trials if trial.state.is_finished() and "abandoned" not in trial.user_attrs]
    numbers = {trial.number for trial in counted}
    return counted, [trial for trial in trials if trial.number not in numbers]
