"""The training process of one job: `python -m perfcast.jobs.worker._child JOB ATTEMPT WORKER THREADS`.

Begun by a worker in a process group of its own; the only place of this room where learning libraries are imported.
"""

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from threading import Thread

import msgspec
import structlog

from perfcast.cluster import scheduler_of
from perfcast.datasets import Datasets
from perfcast.errors import Fenced, PerfcastError, Stopped, Unavailable
from perfcast.jobs.queue import Fence, Job, Jobs
from perfcast.jobs.run import Lesson, champions_manifest, learn, make_lesson, prepared_study, promote, register
from perfcast.jobs.worker._messages import REQUEST_ID, TRACE_PARENT, Channel, die_with_parent, kill_own_group
from perfcast.logs import configure_logs
from perfcast.manifest import Draft
from perfcast.monitoring.drift import read_anomalies
from perfcast.registry import Registry
from perfcast.settings import Settings, load_settings
from perfcast.storage import Blobs, Database, patiently
from perfcast.telemetry import Attributes, exporting, span

_PATIENCE_SECONDS = 30.0
_LEAST_SECONDS = 5.0
"""What a continued job may still take when its time is used up."""
_NICENESS = 5
_LOOK_SECONDS = 0.5
_GRACE_SECONDS = 3.0

log = structlog.stdlib.get_logger("perfcast.jobs")


def main(job: str, attempt: str, worker: str, threads: str) -> int:
    """Train, register, promote; tell the supervisor what came of it."""
    die_with_parent()
    channel = Channel(on_orphaned=kill_own_group)
    os.nice(_NICENESS)  # live predictions on the same machine come first
    try:
        settings = load_settings()
        configure_logs(settings, about=_about(job, attempt))
        about: Attributes = {"perfcast.job": job, "perfcast.attempt": int(attempt)}
        with exporting(settings, "perfcast-training"):
            with span("training process", parent=os.environ.get(TRACE_PARENT), attributes=about):
                best, outcome = run(settings, channel, Fence(job, int(attempt), worker), threads=int(threads))
            channel.send("done", version=best, outcome=outcome)
    except (Stopped, Fenced):
        channel.send("stopped")
    except Unavailable as error:
        channel.send("failed", error=str(error), again=True)
    except PerfcastError as error:
        channel.send("failed", error=str(error), again=False)
    except Exception as error:  # whatever it was, the row must say it
        log.exception("the training failed")
        channel.send("failed", error=f"{type(error).__name__}: {error}", again=False)
    return 0


def _about(job: str, attempt: str) -> dict[str, str]:
    """What every line of this process says."""
    request_id = os.environ.get(REQUEST_ID)
    return {"job": job, "attempt": attempt} | ({"request_id": request_id} if request_id else {})


def run(settings: Settings, channel: Channel, fence: Fence, *, threads: int) -> tuple[int, str]:
    """Do what of the job is still to be done; gives the number of the best version, and what became of it.

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
        log.info("training begun", model=job.request.model, dataset=job.request.dataset, trials=job.request.n_trials)
        dataset = datasets.load(datasets.find(job.request.dataset, job.request.digest))
        with database.read() as connection:
            lesson = make_lesson(dataset, job.request.newest_rows, read_anomalies(connection, job.request.model))
        drafts = () if job.versions else _learn(settings, database, channel, job, lesson, registry, threads)
        channel.send("stage", stage="registering")

        # When a connection broke during the commit, nobody was told whether it took place: look.
        numbers = patiently(
            lambda: jobs.find(job.id).versions or registered(registry, jobs, job, drafts), _PATIENCE_SECONDS
        )
        return patiently(lambda: judged(registry, job, numbers[-1], lesson), _PATIENCE_SECONDS)
    finally:
        database.close()


def _learn(
    settings: Settings, database: Database, channel: Channel, job: Job, lesson: Lesson, registry: Registry, threads: int
) -> Sequence[Draft]:
    request, limit = job.request, job.request.timeout_seconds
    left = None if limit is None else max(_LEAST_SECONDS, limit - job.spent_seconds)
    with prepared_study(job.id, settings, database) as study:
        drafts = learn(
            registry,
            lesson.dataset,
            request.model,
            msgspec.structs.replace(request, timeout_seconds=left),
            threads=threads,
            cluster=scheduler_of(settings),
            study_storage=study,
            study_name=job.id,
            on_trial=lambda report: channel.send("trial", **asdict(report)),
            stop=channel.asked.is_set,
        ).drafts
    champion = champions_manifest(registry, request.model)
    return [lesson.signed(draft, champion) for draft in drafts]


def registered(registry: Registry, jobs: Jobs, job: Job, drafts: Sequence[Draft]) -> tuple[int, ...]:
    """Register a job's drafts, once: their numbers are written into its row in the same transaction."""
    model, dataset, within = job.request.model, job.request.dataset, partial(jobs.record, job.fence)
    with span("register", attributes={"perfcast.model": model, "perfcast.versions": len(drafts)}):
        versions = register(registry, drafts, model=model, dataset=dataset, run=f"job {job.id},", within=within)
    return tuple(version.number for version in versions)


def judged(registry: Registry, job: Job, number: int, lesson: Lesson) -> tuple[int, str]:
    """The best version's number and what the gate said of it, together with what the lesson and the search left out."""
    from perfcast.training import left_out

    best = registry.version(job.request.model, number)
    with span("promotion gate", attributes={"perfcast.model": best.model, "perfcast.version": number}) as traced:
        reason = promote(registry, best, lesson.dataset, wanted=job.request.promote, actor=f"job {job.id}")
        traced.set("perfcast.outcome", reason)
    return number, "; ".join([reason, *lesson.notes, *left_out(best.manifest.search)])


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
            channel.asked.set()
            time.sleep(_GRACE_SECONDS)
            kill_own_group()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
