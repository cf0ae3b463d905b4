"""Short bursts of large error that end again: times that aren't learnt from."""

from datetime import datetime, timedelta
from typing import NamedTuple

from perfcast.monitoring.drift._state import State, Stretch

_PAUSE = timedelta(minutes=10)
"""Without large errors for so long, a stretch has ended."""
_FEWEST = 3
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
        usual: The mean error.
    """
    stretch, ended = state.stretch, None
    if stretch is not None and datetime.fromisoformat(at) - datetime.fromisoformat(stretch.last_at) > _PAUSE:
        ended, state.stretch = _ended(stretch, usual), None
    if error > burst:
        if state.stretch is None:
            state.stretch = Stretch(at, at, 1, error)
        else:
            held = state.stretch
            held.last_at, held.rows, held.error = max(at, held.last_at), held.rows + 1, held.error + error
    return ended


def _ended(stretch: Stretch, usual: float) -> Anomaly | None:
    lasted = datetime.fromisoformat(stretch.last_at) - datetime.fromisoformat(stretch.first_at)
    if stretch.rows < _FEWEST or lasted > LONGEST:
        return None
    times = stretch.error / stretch.rows / usual
    reason = f"errors {times:.0f} times what is usual for {lasted.total_seconds() / 60:.0f} min, and then no longer"
    return Anomaly(stretch.first_at, stretch.last_at, reason)
