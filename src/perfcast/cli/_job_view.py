"""A job as it is watched: a live table on a terminal, a line for each news elsewhere."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from perfcast.errors import Unavailable

if TYPE_CHECKING:
    from rich.console import RenderableType

FINAL = frozenset({"succeeded", "failed", "cancelled"})
_SECONDS = 0.5
_PATIENCE_SECONDS = 300.0
"""How long a server or a database may be away."""
_SHOWN_TRIALS = 12


def watch_job(show: Callable[[str], Mapping[str, Any]], identifier: str) -> Mapping[str, Any]:
    """Show a job until it has ended, also while the server or the database restarts; gives it as it ended.

    Raises:
        Unavailable: It can't be asked at first, or for `_PATIENCE_SECONDS` afterwards.
    """
    from rich.console import Console
    from rich.live import Live

    console, said = Console(highlight=False), ""
    states = _states(show, identifier)
    job: Mapping[str, Any] = {}
    with Live(console=console, refresh_per_second=4) if console.is_terminal else nullcontext() as live:
        for job in states:
            line = headline(job)
            if live is not None:
                live.update(_view(job))
            elif line != said:
                print(line, flush=True)
            said = line
    return job


def _states(show: Callable[[str], Mapping[str, Any]], identifier: str) -> Iterator[Mapping[str, Any]]:
    """The job now and then, last as it ended; while nobody answers, as it was seen last, with the reason."""
    job, seen = show(identifier), time.monotonic()
    yield job
    while job["status"] not in FINAL:
        time.sleep(_SECONDS)
        try:
            job, seen = show(identifier), time.monotonic()
        except Unavailable as error:
            if time.monotonic() - seen > _PATIENCE_SECONDS:
                raise
            job = {**job, "error": str(error)}
        yield job


def headline(job: Mapping[str, Any]) -> str:
    """A job in one line."""
    parts = [f"{job['model_name']}: {job['status']}"]
    if job["status"] == "running":
        parts.append(str(job["stage"]))
    parts.append(f"trial {job['trial']}/{job['n_trials']}")
    if job["best_score"] is not None:
        parts.append(f"best {job['metric'] or 'score'} {job['best_score']:.4g} ({job['best_family']})")
    if job["attempt"] > 1:
        parts.append(f"attempt {job['attempt']}")
    if job["model_version"] is not None:
        parts.append(f"version {job['model_version']} {job['outcome']}")
    if job["error"]:
        parts.append(str(job["error"]))
    return ", ".join(parts)


def _view(job: Mapping[str, Any]) -> "RenderableType":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    trials = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("trial", "family", "state"):
        trials.add_column(name)
    for name in (job["metric"] or "score", "seconds"):
        trials.add_column(name, justify="right")
    for trial in job["trials"][-_SHOWN_TRIALS:]:
        best = trial["score"] is not None and trial["score"] == job["best_score"]
        numbers = ["" if trial[name] is None else f"{trial[name]:.4g}" for name in ("score", "seconds")]
        style = "bold green" if best else ""
        trials.add_row(str(trial["trial"]), trial["family"], trial["state"], *numbers, style=style)
    left = job["eta_seconds"]
    foot = Text("" if left is None else f"about {left:.0f} s left", style="dim")
    bar = ProgressBar(total=1.0, completed=job["progress"], width=60)
    return Group(Text(headline(job), style="bold"), bar, trials, foot)
