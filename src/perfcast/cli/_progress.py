"""Progress as it is seen: bars on a terminal; elsewhere a line for each trial, or now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import TaskID

    from perfcast.training import TrialReport

_LINE_SECONDS = 10.0


class TrainingProgress:
    """Shows training runs one after another; use it as a context manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[state]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, soft_wrap=True)

    @contextmanager
    def run(self, name: str, trials: int) -> "Iterator[Callable[[TrialReport], None]]":
        """Show one run; gives the function to tell of its trials."""
        task = self._progress.add_task(name, total=trials, state="reading")

        def on_trial(report: "TrialReport") -> None:
            self._show(task, name, report)

        yield on_trial
        self._progress.update(task, state="done")
        self._progress.stop_task(task)

    def _show(self, task: "TaskID", name: str, report: "TrialReport") -> None:
        best = "" if report.best_score is None else f", best {report.best_score:.3g} ({report.best_family})"
        left = "" if report.seconds_left is None else f", {report.seconds_left:.0f} s left"
        if report.state == "running":
            self._progress.update(task, completed=report.finished, state=f"{report.family} …{best}{left}")
            return
        state = "fitting the best of each family" if report.finished == report.of else f"{report.family} {report.state}"
        self._progress.update(task, completed=report.finished, state=state + best + left)
        if not self._console.is_terminal:
            score = "" if report.score is None else f" {report.score:.4g}"
            line = f"{name}: trial {report.trial}/{report.of} {report.family} {report.state}{score}{best}{left}"
            print(line, file=sys.stderr, flush=True)


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
