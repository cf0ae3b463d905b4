"""References that were refused a moment ago, so that asking for them again costs no query."""

import math
import time
from threading import Lock

from perfcast.errors import PerfcastError

_REMEMBERED = 1024


class Refusals:
    """Remembers why references were refused, for as long as the registry stays at one revision.

    Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[str, tuple[PerfcastError, int, float]] = {}

    def find(self, reference: str, revision: int) -> PerfcastError | None:
        """Why it was refused at this revision, ready to be raised; None where that isn't known."""
        error, at, until = self._known.get(reference, (None, revision, math.inf))
        return _anew(error) if error is not None and at == revision and time.monotonic() < until else None

    def add(self, reference: str, error: PerfcastError, revision: int, *, seconds: float = math.inf) -> None:
        """Remember why a reference was refused, for so many seconds where that may end without a change.

        The revision is the one known before the registry was asked, so that no later change is missed.
        """
        with self._lock:
            self._known.pop(reference, None)
            self._known[reference] = (_anew(error), revision, time.monotonic() + seconds)
            while len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]


def _anew(error: PerfcastError) -> PerfcastError:
    """The error as it was before it was raised: a traceback would keep whole requests in memory."""
    fresh = type(error).__new__(type(error))
    fresh.args = error.args
    vars(fresh).update(vars(error))
    return fresh
