"""Progress as it is seen: bars on a terminal; elsewhere a line for each trial, or now and then."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
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


class _Bar:
    """A bar on standard error, where that is a terminal; elsewhere a line now and then."""

    def __init__(self, *columns: "ProgressColumn", stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress

        console = Console(file=stream or sys.stderr, highlight=False)
        self._progress = Progress(BarColumn(bar_width=10), *columns, console=console, disable=not console.is_terminal)
        self._task = self._progress.add_task("", total=None)
        self._said = time.monotonic()

    def say(self, text: str) -> None:
        """A line that stays."""
        self._progress.console.print(text, soft_wrap=True)

    def _update(self, done: int, total: int | None, beside: str, line: str, *, due: bool = False) -> None:
        """Show what stands beside the bar; elsewhere the line, where it is due or none was told for a while."""
        self._progress.update(self._task, completed=done, total=total, description=beside)
        now = time.monotonic()
        if self._progress.disable and (due or now - self._said >= _LINE_SECONDS):
            self._said = now
            self.say(line)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


class RowProgress(_Bar):
    """How many rows of a file are done."""

    def __init__(self) -> None:
        from rich.progress import MofNCompleteColumn, TimeElapsedColumn, TimeRemainingColumn

        super().__init__(MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())

    def show(self, done: int, total: int | None = None) -> None:
        """So many rows are done, of so many where that is known."""
        self._update(done, total, "", f"{done:,} of {total:,} rows" if total else f"{done:,} rows")


class ProfileDisplay(_Bar):
    """Where a profiling run stands; a line also for the beginning and the end of each round."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.progress import TextColumn

        super().__init__(TextColumn("{task.description}"), stream=stream)
        self._round = 0

    def show(self, progress: "ProfileProgress") -> None:
        """What the profiler tells."""
        if progress.note:
            self.say(progress.note)
            return
        due = progress.round != self._round or progress.done == progress.total
        self._round = progress.round
        self._update(progress.done, progress.total, _short(progress), _line(progress), due=due)


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
