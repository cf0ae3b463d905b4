"""How a profiling run shows its progress: a live line on a terminal, log lines elsewhere."""

import sys
import time
from typing import Self, TextIO

from ._profile import ProfileProgress

_LOG_EVERY_SECONDS = 10.0


class ProgressDisplay:
    """Shows progress, a live line on a terminal and log lines elsewhere; pass the display itself as `on_progress`."""

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        columns = (BarColumn(bar_width=10), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=Console(file=self._stream), disable=not self._live)
        self._shown = (0, -_LOG_EVERY_SECONDS)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, progress: ProfileProgress) -> None:
        """Show where the run stands."""
        if not self._live:
            if progress.note or self._is_time_to_log(progress):
                print(progress.note or describe(progress), file=self._stream, flush=True)
        elif progress.note:
            self._bar.console.print(progress.note)
        else:
            task = self._bar.task_ids[0] if self._bar.task_ids else self._bar.add_task("")
            self._bar.update(task, description=_short(progress), completed=progress.done, total=progress.total)

    def _is_time_to_log(self, progress: ProfileProgress) -> bool:
        """One line every few seconds, and the last of each round."""
        now = time.monotonic()
        shown_round, shown_at = self._shown
        due = now - shown_at >= _LOG_EVERY_SECONDS or progress.round != shown_round
        if due or progress.done == progress.total:
            self._shown = (progress.round, now)
            return True
        return False


def describe(progress: ProfileProgress) -> str:
    """One line on where the run stands."""
    further = f" (further, at most {progress.max_rounds})" if progress.round > progress.rounds else ""
    return (
        f"{progress.name} round {progress.round} of {progress.rounds}{further}: "
        f"{progress.done:,}/{progress.total:,} configurations, {progress.accepted:,} accepted, "
        f"{progress.left_out} can't be measured, the machine slowed {progress.sentinel_ratio:.3f} x, "
        f"{_duration(progress.seconds_left)} left"
    )


def _short(progress: ProfileProgress) -> str:
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
