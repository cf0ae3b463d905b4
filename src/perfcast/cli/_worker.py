"""`perfcast worker`: run training jobs."""

import typer


def worker(
    concurrency: int | None = typer.Option(None, min=1, max=64, help="Jobs at a time (WORKER_CONCURRENCY)."),
    log_level: str | None = typer.Option(None, help="DEBUG, INFO, WARNING or ERROR (LOG_LEVEL)."),
    attached: bool = typer.Option(False, "--attached", hidden=True, help="End when standard input does."),
) -> None:
    """Run queued training jobs until Ctrl-C or SIGTERM; jobs that are running then go back into the queue.

    With MODELS_DIR it also converts and registers the models of that folder, whenever one is new or changed.

    Any number of workers may share one database. `perfcast up` starts one by itself.

    Examples:

        perfcast worker

        perfcast worker --concurrency 2

        DATABASE_URL=postgresql://… REDIS_URL=redis://… perfcast worker
    """
    from perfcast.discovery import watching
    from perfcast.jobs import run_worker
    from perfcast.logs import configure_logs
    from perfcast.settings import load_settings

    settings = load_settings(worker_concurrency=concurrency, log_level=log_level)
    configure_logs(settings)
    with watching(settings):
        run_worker(settings, attached=attached)
