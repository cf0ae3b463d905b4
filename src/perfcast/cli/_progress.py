"""Training as it is seen: a bar for each run on a terminal, a line for each trial elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from perfcast.training import TrialReport


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
