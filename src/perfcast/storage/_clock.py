"""Time: how it is written to the database, and how long one waits for that."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from perfcast.errors import Unavailable

_T = TypeVar("_T")
_AGAIN_SECONDS = 0.2


def now() -> str:
    """The present time as the database keeps it."""
    return time_text(datetime.now(UTC))


def time_text(at: datetime) -> str:
    """A time as the database keeps it: ISO 8601, UTC, with microseconds and `Z`, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def later(at: str, by: timedelta) -> str:
    """Another time as the database keeps it: so much later than this one, or earlier."""
    return time_text(datetime.fromisoformat(at) + by)


def patiently(call: Callable[[], _T], seconds: float) -> _T:
    """What a call gives, which is tried again for so long while what it needs doesn't answer.

    Raises:
        Unavailable: By the last try.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except Unavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_SECONDS)
