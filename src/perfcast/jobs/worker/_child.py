"""The training process of one job: `python -m perfcast.jobs.worker._child JOB ATTEMPT WORKER THREADS`.

Begun by a worker in a process group of its own; the only place of this room where learning libraries are imported.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from threading import Thread
from typing import TypeVar

from perfcast.datasets import Dataset, Datasets
from perfcast.errors import Fenced, PerfcastError, Stopped, Unavailable
from perfcast.jobs.queue import Fence, Job, Jobs
from perfcast.jobs.run import Published, champions_settings, check_request, prepared_study, promote, register
from perfcast.jobs.worker._messages import Channel, die_with_parent, kill_own_group
from perfcast.logs import configure_logs
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.storage import Blobs, Database

_PATIENCE_SECONDS = 30.0
_LEAST_SECONDS = 5.0
"""What a continued job may still take when its time is used up."""
_NICENESS = 5
_LOOK_SECONDS = 0.5
_GRACE_SECONDS = 3.0
_T = TypeVar("_T")


def main(job: str, attempt: str, worker: str, threads: str) -> int:
    """Train, register, promote; tell the supervisor what came of it."""
    die_with_parent()
    channel = Channel(on_orphaned=kill_own_group)
    os.nice(_NICENESS)  # live predictions on the same machine come first
    try:
        settings = load_settings()
        configure_logs(settings)
        published = run(settings, channel, Fence(job, int(attempt), worker), threads=int(threads))
        channel.send("done", version=published.version, outcome=published.outcome)
    except (Stopped, Fenced):
        channel.send("stopped")
    except Unavailable as error:
        channel.send("failed", error=str(error), again=True)
    except PerfcastError as error:
        channel.send("failed", error=str(error), again=False)
    except Exception as error:  # noqa: BLE001 - whatever it was, the row must say it
        traceback.print_exc()
        channel.send("failed", error=f"{type(error).__name__}: {error}", again=False)
    return 0


def run(settings: Settings, channel: Channel, fence: Fence, *, threads: int) -> Published:
    """Do what of the job is still to be done.

    Raises:
        Stopped: It was asked to end.
        Fenced: The job is no longer this attempt's, or was cancelled.
    """
    database = Database(settings.database_address, pool_size=2)
    try:
        blobs, jobs = Blobs(settings.artifacts_address), Jobs(database)
        registry, datasets = Registry(database, blobs), Datasets(database, blobs)
        job = jobs.find(fence.job)
        if job.fence != fence:
            raise Fenced(f"job {fence.job} is at attempt {job.attempt}")
        Thread(target=_end_when_told, args=(jobs, channel, fence), name="perfcast-fence", daemon=True).start()
        dataset = datasets.load(datasets.find(job.request.dataset, job.request.digest))
        numbers = job.versions or _learn(settings, database, channel, job, dataset, registry, jobs, threads)
        channel.send("stage", stage="registering")
        return _patiently(lambda: promote(registry, job, numbers, dataset))
    finally:
        database.close()


def _learn(
    settings: Settings,
    database: Database,
    channel: Channel,
    job: Job,
    dataset: Dataset,
    registry: Registry,
    jobs: Jobs,
    threads: int,
) -> tuple[int, ...]:
    from perfcast.training import Budget, train

    check_request(registry, dataset, job.request.model)
    limit = job.request.timeout_seconds
    with prepared_study(job.id, settings, database) as study:
        training = train(
            dataset,
            Budget(job.request.n_trials, None if limit is None else max(_LEAST_SECONDS, limit - job.spent_seconds)),
            family_names=job.request.families,
            seed=job.request.seed,
            threads=threads,
            cluster=settings.dask_scheduler_address,
            warm_start=champions_settings(registry, job.request.model),
            study_storage=study,
            study_name=job.id,
            on_trial=lambda report: channel.send("trial", **asdict(report)),
            stop=channel.stop,
        )
    channel.send("stage", stage="registering")

    def once() -> tuple[int, ...]:
        # When a connection broke during the commit, nobody was told whether it took place: look.
        return jobs.find(job.id).versions or register(registry, jobs, job, training.drafts)

    return _patiently(once)


def _end_when_told(jobs: Jobs, channel: Channel, fence: Fence) -> None:
    """End when the job was cancelled or given to somebody else, in case the supervisor is frozen and doesn't do it."""
    while True:
        time.sleep(_LOOK_SECONDS)
        try:
            told = jobs.is_cancelled(fence)
        except Unavailable:
            continue
        except PerfcastError:
            told = True
        if told:
            channel.ask()
            time.sleep(_GRACE_SECONDS)
            kill_own_group()


def _patiently(call: Callable[[], _T]) -> _T:
    """Try again while the database doesn't answer, rather than train a second time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return call()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
