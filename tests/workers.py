"""Small data and real worker processes, for tests of training jobs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np

from perfcast.datasets import Dataset, Datasets
from perfcast.jobs import Asked, Job, JobRequest, Jobs, Submissions, make_transport
from perfcast.registry import Registry
from perfcast.settings import Settings
from perfcast.storage import Blobs, Database
from perfcast.workloads import builtin_workloads

T = TypeVar("T")
QUICK: dict[str, float] = {"job_poll_seconds": 0.5, "job_heartbeat_seconds": 0.5, "job_stale_seconds": 3.0}
QUICK |= {"job_retry_seconds": 0.1, "worker_concurrency": 1}
"""Settings with which dead workers are noticed soon, and jobs are begun again soon."""


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
        self.jobs = Jobs(self.database, self.transport, attempts=settings.job_attempts, retry_seconds=settings.job_retry_seconds)

    def submit(self, **asked: object) -> Job:
        return self.jobs.submit(self.complete(**asked))

    def complete(self, **asked: object) -> JobRequest:
        return Submissions(self.datasets, self.registry, builtin_workloads()).complete(Asked(**asked))  # type: ignore[arg-type]

    def wait(self, job: Job, *statuses: str, seconds: float = 120) -> Job:
        """The job once it has one of these statuses."""
        return until(lambda: self._if(job, lambda now: now.status in statuses), seconds)

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


def until(look: Callable[[], T | None], seconds: float = 30) -> T:
    """What `look` gives once it gives something."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


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


def stop(worker: subprocess.Popen[bytes]) -> float:
    """Drain a worker; gives the seconds it took."""
    begun = time.monotonic()
    if worker.poll() is None:
        worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
            raise
    return time.monotonic() - begun


def training_process(job: Job) -> int | None:
    """The process that trains a job, by its command line; None where there is none."""
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            continue
        if b"perfcast.jobs._child" in words and job.id.encode() in words and state != "Z":
            return int(folder.name)
    return None


def finished_trials(settings: Settings, job: Job) -> dict[int, tuple[str, object]]:
    """Number, state and moment of every trial that has finished and counts."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    from perfcast.jobs._studies import study_address

    address = study_address(job.id, settings)
    storage = address if "://" in address else JournalStorage(JournalFileBackend(address))
    trials = optuna.load_study(study_name=job.id, storage=storage).get_trials(deepcopy=False)
    counted = [trial for trial in trials if trial.state.is_finished() and "abandoned" not in trial.user_attrs]
    return {trial.number: (trial.state.name, trial.datetime_complete) for trial in counted}
