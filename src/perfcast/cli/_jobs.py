"""`perfcast jobs`: training jobs that workers run, in the registry's own database or on a server."""

from typing import Any

import typer

from perfcast.cli._address import KEY, URL


def register(app: typer.Typer) -> None:
    """Add the commands."""
    jobs = typer.Typer(help="Training jobs: submit, watch, cancel. Workers run them.", no_args_is_help=True)
    jobs.command("submit")(submit)
    jobs.command("list")(list_jobs)
    jobs.command("show")(show)
    jobs.command("watch")(watch)
    jobs.command("cancel")(cancel)
    app.add_typer(jobs, name="jobs")


def submit(
    dataset: str = typer.Option("", help="Name of the dataset, or NAME@DIGEST; the model's newest if not given."),
    workload: str = typer.Option("", help="What to predict; cpu-utilization if nothing else says it."),
    model: str = typer.Option("", help="The model that gets the versions; the workload's default if not given."),
    families: str = typer.Option("", help="Comma-separated: xgboost, random_forest, polynomial, neural_network."),
    trials: int = typer.Option(20, min=1, help="Most trials of the search."),
    timeout: float | None = typer.Option(None, min=1, help="Most seconds of training."),
    seed: int = typer.Option(0, help="The same seed gives the same trials (without --timeout)."),
    promote: str = typer.Option("auto", help="auto: the gate decides; never: leave the champion alone."),
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
    from perfcast.cli._job_places import open_jobs

    named = {"dataset": dataset, "workload": workload, "model_name": model}
    asked: dict[str, Any] = {name: value for name, value in named.items() if value}
    asked |= {"n_trials": trials, "seed": seed, "promote": promote}
    asked |= {"families": [name.strip() for name in families.split(",") if name.strip()]}
    if timeout is not None:
        asked["timeout_seconds"] = timeout
    with open_jobs(url, key) as jobs:
        job = jobs.submit(asked)
        print(job["job_id"])
        if follow:
            _watch(jobs, job["job_id"])


def list_jobs(
    status: str = typer.Option("", help="Only queued, running, succeeded, failed or cancelled ones."),
    model: str = typer.Option("", help="Only those of this model."),
    limit: int = typer.Option(20, min=1, max=500, help="Most jobs."),
    as_json: bool = typer.Option(False, "--json", help="All there is to know, as JSON."),
    url: str = URL,
    key: str = KEY,
) -> None:
    """List the jobs, newest first.

    Examples:

        perfcast jobs list

        perfcast jobs list --status failed --json
    """
    from perfcast.cli._job_places import open_jobs
    from perfcast.cli._output import show_json, show_table

    with open_jobs(url, key) as places:
        jobs = places.page(status, model, limit)
    if as_json:
        show_json(jobs)
        return
    columns = ("job", "status", "model", "trial", "best", "family", "version", "created", "error")
    show_table(columns, [_row(job) for job in jobs])


def show(job: str, url: str = URL, key: str = KEY) -> None:
    """Show all that is known of a job, as JSON.

    Examples:

        perfcast jobs show 019ab3c4-…
    """
    from perfcast.cli._job_places import open_jobs
    from perfcast.cli._output import show_json

    with open_jobs(url, key) as jobs:
        show_json(jobs.show(job))


def watch(job: str, url: str = URL, key: str = KEY) -> None:
    """Watch a job: its trials, the best so far, the seconds left. Ctrl-C ends the watching, not the job.

    Examples:

        perfcast jobs watch 019ab3c4-…

        perfcast jobs watch 019ab3c4-… --url http://localhost:8000
    """
    from perfcast.cli._job_places import open_jobs

    with open_jobs(url, key) as jobs:
        _watch(jobs, job)


def cancel(job: str, url: str = URL, key: str = KEY) -> None:
    """Cancel a job: it has ended within five seconds.

    Examples:

        perfcast jobs cancel 019ab3c4-…
    """
    from perfcast.cli._job_places import open_jobs
    from perfcast.cli._output import say

    with open_jobs(url, key) as jobs:
        answer = jobs.cancel(job)
    say(f"{answer['job_id']}: " + ("cancelled" if answer["status"] == "cancelled" else "asked to end"))


def _watch(jobs: Any, identifier: str) -> None:
    from perfcast.cli._job_view import watch_job

    final = watch_job(jobs.show, identifier)
    if final["status"] != "succeeded":
        raise typer.Exit(1)


def _row(job: dict[str, Any]) -> list[Any]:
    trials = f"{job['trial']}/{job['n_trials']}"
    names = ("best_score", "best_family", "model_version", "created_at", "error")
    best, family, version, created, error = (job[name] for name in names)
    return [job["job_id"], job["status"], job["model_name"], trials, best, family, version, created[:19], error or ""]
