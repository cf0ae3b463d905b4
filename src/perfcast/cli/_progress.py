"""Progress as it is seen: bars on a terminal; elsewhere a line for each trial, or now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

    from perfcast.training import TrialReport
    from perfcast.workloads.cnn_execution_time.profiler import ProfileProgress

_LINE_SECONDS = 10.0


@contextmanager
def training_progress() -> "Iterator[TrainingProgress]":
    """What shows training runs, on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    console = Console(stderr=True, highlight=False)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=12, table_column=Column(no_wrap=True)),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TimeElapsedColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.fields[state]}", table_column=Column()),  # on a narrow terminal this alone takes two lines
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        yield TrainingProgress(progress)


class TrainingProgress:
    """Shows training runs, one after another or side by side."""

    def __init__(self, progress: "Progress") -> None:
        self._progress = progress

    def say(self, text: str) -> None:
        self._progress.console.print(text, soft_wrap=True, markup=False)

    @contextmanager
    def run(self, name: str, trials: int) -> "Iterator[Callable[[TrialReport], None]]":
        """Show one run; gives the function to tell of its trials."""
        task = self._progress.add_task(name, total=trials, state="waiting for its turn, or reading")

        def on_trial(report: "TrialReport") -> None:
            best = "" if report.best_score is None else f", best {report.best_score:.3g} ({report.best_family})"
            left = "" if report.seconds_left is None else f", {report.seconds_left:.0f} s left"
            searched = report.finished == report.of and report.state != "running"
            state = "fitting the best of each family" if searched else f"{report.family} {report.state}"
            self._progress.update(task, completed=report.finished, state=state + best + left)
            if self._progress.disable and report.state != "running":
                score = "" if report.score is None else f" {report.score:.4g}"
                trial = f"trial {report.trial}/{report.of} {report.family} {report.state}"
                self.say(f"{name}: {trial}{score}{best}{left}")
                if searched:
                    self.say(f"{name}: {state}")

        yield on_trial
        self._progress.update(task, state="done")
        self._progress.stop_task(task)


@contextmanager
def _bar(*columns: "ProgressColumn", stream: TextIO | None = None) -> "Iterator[tuple[Callable[..., None], Console]]":
    """A bar on standard error; elsewhere the line that is told with it, where it is due or none was for a while."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress

    console = Console(file=stream or sys.stderr, highlight=False)
    with Progress(BarColumn(bar_width=10), *columns, console=console, disable=not console.is_terminal) as progress:
        task, said = progress.add_task("", total=None), time.monotonic()

        def tell(done: int, total: int | None, beside: str, line: str, *, due: bool = False) -> None:
            nonlocal said
            progress.update(task, completed=done, total=total, description=beside)
            if progress.disable and (due or time.monotonic() - said >= _LINE_SECONDS):
                said = time.monotonic()
                console.print(line, soft_wrap=True, markup=False)

        yield tell, console


@contextmanager
def row_progress() -> Iterator[Callable[[int, int | None], None]]:
    """Shows how many rows of a file are done, of so many where that is known; gives the function to tell of them."""
    from rich.progress import MofNCompleteColumn, TimeElapsedColumn, TimeRemainingColumn

    with _bar(MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()) as (tell, _):
        yield lambda done, total: tell(done, total, "", f"{done:,} of {total:,} rows" if total else f"{done:,} rows")


@contextmanager
def backup_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Shows what is being copied, how much of it is done, and of how much."""
    from rich.progress import MofNCompleteColumn, TextColumn, TimeElapsedColumn

    with _bar(MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as (tell, _):
        yield lambda what, done, of: tell(done, of, what, f"{done:,} of {of:,} {what}")


@contextmanager
def profile_progress(stream: TextIO | None = None) -> "Iterator[Callable[[ProfileProgress], None]]":
    """Shows where a profiling run stands, a line also for the beginning and the end of each round."""
    from rich.progress import TextColumn

    seen = 0
    with _bar(TextColumn("{task.description}"), stream=stream) as (tell, console):

        def show(progress: "ProfileProgress") -> None:
            nonlocal seen
            if progress.note:
                console.print(progress.note, soft_wrap=True, markup=False)
                return
            due, seen = progress.round != seen or progress.done == progress.total, progress.round
            tell(progress.done, progress.total, _short(progress), _line(progress), due=due)

        yield show


def _line(progress: "ProfileProgress") -> str:
    further = f" (further, at most {progress.max_rounds})" if progress.round > progress.rounds else ""
    return (
        f"{progress.name} round {progress.round} of {progress.rounds}{further}: "
        f"{progress.done:,}/{progress.total:,} configurations, {progress.accepted:,} accepted, "
        f"{progress.left_out} can't be measured, the machine slowed {progress.sentinel_ratio:.3f} x, "
        f"{_duration(progress.seconds_left)} left"
    )


def _short(progress: "ProfileProgress") -> str:
    """What fits beside a bar on a terminal of 80 columns."""
    most = progress.max_rounds if progress.round > progress.rounds else progress.rounds
    return (
        f"round {progress.round}/{most}, {progress.done:,}/{progress.total:,}, "
        f"{progress.accepted:,} ok, slowed {progress.sentinel_ratio:.2f} x, "
        f"{_duration(progress.seconds_left)} left"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
