"""`perfcast cluster`: what a Dask cluster needs."""

from pathlib import Path

import typer

from perfcast.cli._output import show_table

_WHERE = {
    "authority-key.pem": "nowhere: keep it apart, it signs for whoever may run code on the cluster",
    "scheduler.yaml": "the scheduler",
    "worker.yaml": "the workers",
    "client.yaml": "`perfcast worker`, `perfcast train` and `perfcast score`",
}


def certificates(
    folder: Path = typer.Argument(..., help="Where to write them; an authority that is there already signs again."),
    host: list[str] = typer.Option([], help="Name or address of a machine of scheduler or workers; may be repeated."),
    days: int = typer.Option(90, min=1, max=397, help="How long they are valid. The authority is for two years."),
) -> None:
    """Make certificates with which a Dask scheduler, its workers and Perfcast know each other, or renew them.

    Each file is all that its machines need: DASK_CONFIG names it there. Renewed ones are taken when the processes are
    started again; old ones stay valid until their day, so it needn't be all at once.

    Examples:
        perfcast cluster certificates dask-certificates --host dask-scheduler --host 10.0.0.7
        perfcast cluster certificates dask-certificates --days 30
    """
    from perfcast.cluster.certificates import issue

    ends = issue(folder, host, days=days)
    show_table(("file", "belongs to"), [(str(folder / name), where) for name, where in _WHERE.items()])
    print(f"valid until {ends:%Y-%m-%d %H:%M} UTC; the same command renews them")
