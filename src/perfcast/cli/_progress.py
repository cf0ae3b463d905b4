"""Progress as it is seen: bars on a terminal; elsewhere a line for each trial, or now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

    from perfcast.training import TrialReport

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
        """A line that stays."""
        self._progress.console.print(text, soft_wrap=True)

    @contextmanager
    def run(self, name: str, trials: int) -> "Iterator[Callable[[TrialReport], None]]":
        """Show one run; gives the function to tell of its trials."""
        task = self._progress.add_task(name, total=trials, state="reading")

        def on_trial(report: "TrialReport") -> None:
            best = "" if report.best_score is None else f", best {report.best_score:.3g} ({report.best_family})"
            left = "" if report.seconds_left is None else f", {report.seconds_left:.0f} s left"
            state = f"{report.family} {report.state}"
            if report.finished == report.of and report.state != "running":
                state = "fitting the best of each family"
            self._progress.update(task, completed=report.finished, state=state + best + left)
            if self._progress.disable and report.state != "running":
                score = "" if report.score is None else f" {report.score:.4g}"
                trial = f"trial {report.trial}/{report.of} {report.family} {report.state}"
                self.say(f"{name}: {trial}{score}{best}{left}")

        yield on_trial
        self._progress.update(task, state="done")
        self._progress.stop_task(task)


class RowProgress:
    """A bar on standard error, where that is a terminal; elsewhere a line now and then."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._lines = None if console.is_terminal else time.monotonic()
        self._progress = Progress(
            BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(), console=console,
            disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("rows", total=None)

    def show(self, done: int, total: int | None = None) -> None:
        """So many rows are done, of so many where that is known."""
        self._progress.update(self._task, completed=done, total=total)
        now = time.monotonic()
        if self._lines is not None and now - self._lines >= _LINE_SECONDS:
            self._lines = now
            print(f"{done:,} of {total:,} rows" if total else f"{done:,} rows", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
