"""`perfcast jobs`: training jobs that workers run, in the registry's own database or on a server."""

from typing import Any

import typer

from perfcast.cli._options import (
    BASE,
    FAMILIES,
    JOB,
    JSON,
    KEY,
    NEWEST,
    PROMOTE,
    SEED,
    TIMEOUT,
    TRENDS,
    TRIALS,
    URL,
    names,
)
from perfcast.cli._output import say, show_json, show_list
from perfcast.cli._place import open_place


def submit(
    dataset: str = typer.Option("", help="Name of the dataset, or NAME@DIGEST; the model's newest if not given."),
    workload: str = typer.Option("", help="What to predict; cpu-utilization if nothing else says it."),
    model: str = typer.Option("", help="The model that gets the versions; the workload's default if not given."),
    families: str = FAMILIES,
    trials: int = TRIALS,
    timeout: float | None = TIMEOUT,
    seed: int = SEED,
    newest_rows: int | None = NEWEST,
    base: str = BASE,
    trends: str = TRENDS,
    promote: str = PROMOTE,
    follow: bool = typer.Option(False, "--watch", help="Stay and watch it."),
    url: str = URL,
    key: str = KEY,
) -> None:
    """Queue a training job, and print its id.

    Examples:
        perfcast jobs submit --trials 50
        perfcast jobs submit --dataset shop --families xgboost,polynomial --timeout 300 --watch
        perfcast jobs submit --workload cnn-execution-time --url http://localhost:8000
    """
    given = {"dataset": dataset, "workload": workload, "model_name": model, "timeout_seconds": timeout}
    given |= {"newest_rows": newest_rows, "base": base}
    asked: dict[str, Any] = {name: value for name, value in given.items() if value}
    asked |= {"n_trials": trials, "seed": seed, "promote": promote, "families": names(families), "trends": trends}
    with open_place(url, key) as place:
        job = place.submit(asked)
        print(job["job_id"])
        if follow:
            _watch(place, job["job_id"])
        else:
            say("queued for a worker (perfcast up, or perfcast worker); to watch it: perfcast jobs watch ID")


def list_(
    status: str = typer.Option("", help="Only queued, running, succeeded, failed or cancelled ones."),
    model: str = typer.Option("", help="Only those of this model."),
    limit: int = typer.Option(20, min=1, max=500, help="Most jobs."),
    as_json: bool = JSON,
    url: str = URL,
    key: str = KEY,
) -> None:
    """List the jobs, newest first.

    Examples:
        perfcast jobs list
        perfcast jobs list --status failed --json
    """
    with open_place(url, key) as place:
        jobs = place.jobs(status, model, limit)
    columns = ("job", "status", "model", "trial", "best", "family", "version", "created (UTC)", "error")
    empty = "no such jobs" if status or model else "no jobs yet: perfcast jobs submit queues one"
    show_list(columns, jobs, _row, empty=empty, as_json=as_json)


def show(job: str = JOB, url: str = URL, key: str = KEY) -> None:
    """Show all that is known of a job, as JSON.

    Examples:
        perfcast jobs show 019ab3c4-…
    """
    with open_place(url, key) as place:
        show_json(place.job(job))


def watch(job: str = JOB, url: str = URL, key: str = KEY) -> None:
    """Watch a job: its trials, the best so far, the seconds left. Ctrl-C ends the watching, not the job.

    Examples:
        perfcast jobs watch 019ab3c4-…
        perfcast jobs watch 019ab3c4-… --url http://localhost:8000
    """
    with open_place(url, key) as place:
        _watch(place, job)


def cancel(job: str = JOB, url: str = URL, key: str = KEY) -> None:
    """Cancel a job: it has ended within five seconds.

    Examples:
        perfcast jobs cancel 019ab3c4-…
    """
    with open_place(url, key) as place:
        answer = place.cancel(job)
    say(f"{answer['job_id']}: " + ("cancelled" if answer["status"] == "cancelled" else "asked to end"))


def _watch(place: Any, identifier: str) -> None:
    from perfcast.cli._job_view import watch_job

    final = watch_job(place.job, identifier)
    if final["status"] != "succeeded":
        raise typer.Exit(1)


def _row(job: dict[str, Any]) -> list[Any]:
    trials = f"{job['trial']}/{job['n_trials']}"
    names = ("best_score", "best_family", "model_version", "created_at", "error")
    best, family, version, created, error = (job[name] for name in names)
    return [job["job_id"], job["status"], job["model_name"], trials, best, family, version, created[:19], error or ""]
