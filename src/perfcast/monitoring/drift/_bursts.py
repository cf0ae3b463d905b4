"""Short bursts of large error that end again: times that aren't learnt from."""

from datetime import datetime, timedelta
from typing import NamedTuple

from perfcast.monitoring.drift._state import State, Stretch
from perfcast.storage import later

_PAUSE = timedelta(hours=1)
"""Without large errors for so long, a stretch has ended."""
_FEWEST = 3
_USUAL, _FALLEN = 2.0, 1 / 6
"""Times the usual error, or the stretch's, to which errors must have fallen in the hour after it."""
_LEARNT = timedelta(hours=1)
"""What ends within so long of another version's first answer, that version has ended."""
LONGEST = timedelta(days=3)
"""What goes on for longer is how things are now, and must be learnt."""


class Anomaly(NamedTuple):
    """A stretch of time with large errors, ended."""

    first_at: str
    last_at: str
    reason: str


def follow(state: State, at: str, error: float, burst: float, usual: float) -> Anomaly | None:
    """Take note of a row's error, in order of time; gives a stretch that has ended now.

    Args:
        state: Changed in place.
        at: When it was measured: ISO 8601.
        error: The row's.
        burst: From where on it is large.
        usual: The mean error that held-out rows had.
    """
    ended = None
    if state.stretch is not None and at > later(state.stretch.last_at, _PAUSE):
        ended, state.stretch = _ended(state.stretch), None
    held = state.stretch
    large = error > (burst if held is None else min(burst, held.burst))
    if held is None:
        state.stretch = Stretch(at, at, 1, error, burst, usual) if large else None
    elif large:
        held.last_at, held.rows, held.error = max(at, held.last_at), held.rows + 1, held.error + error
        held.after_rows, held.after_error = 0, 0.0
    else:
        held.after_rows, held.after_error = held.after_rows + 1, held.after_error + error
    return ended


def _ended(stretch: Stretch) -> Anomaly | None:
    """The stretch, unless it was too short or too long, or ended because another version has learnt from it."""
    if stretch.switched_at and stretch.last_at < later(stretch.switched_at, _LEARNT):
        return None
    mean, after = stretch.error / stretch.rows, stretch.after_error / max(1, stretch.after_rows)
    if after > max(_USUAL * stretch.usual, _FALLEN * mean):
        return None  # such as a night after a deploy that made the days costlier
    lasted = datetime.fromisoformat(stretch.last_at) - datetime.fromisoformat(stretch.first_at)
    if stretch.rows < _FEWEST or lasted > LONGEST:
        return None
    times = mean / stretch.usual
    reason = f"errors {times:.0f} times what is usual for {lasted.total_seconds() / 60:.0f} min, and then no longer"
    return Anomaly(stretch.first_at, stretch.last_at, reason)
