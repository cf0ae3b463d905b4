"""Asking again: with growing pauses, as long as the server wishes."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from perfcast.collect._prometheus import Busy, TooSlow
from perfcast.errors import PerfcastError, Unavailable

_T = TypeVar("_T")
_ATTEMPTS = 7
"""Of one query: with pauses of 1, 2, 4, … 30 s that is about a minute and a half."""
_LONGEST = 30.0


class Retries:
    """Does something until it works, with a pause after each failure that may pass by itself.

    Args:
        attempts: After so many the failure is raised.
        first: Seconds of the first pause; each is twice as long as the one before, give or take a quarter.
        on_wait: Told why and how many seconds it waits.
        sleep: What waits.
    """

    def __init__(
        self,
        *,
        attempts: int = _ATTEMPTS,
        first: float = 1.0,
        on_wait: Callable[[str, float], None] | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._attempts, self._first = attempts, first
        self._on_wait, self._sleep = on_wait, sleep

    def __call__(self, work: Callable[[], _T]) -> _T:
        """What the work gives; `TooSlow` is raised at once, since a shorter span is the remedy."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return work()
            except Unavailable as error:
                if attempt == self._attempts or isinstance(error, TooSlow):
                    raise
                pause = self.pause(attempt, error)
                if self._on_wait is not None:
                    self._on_wait(str(error), pause)
                self._sleep(pause)

    def pause(self, attempt: int, error: PerfcastError) -> float:
        """Seconds to wait after the so-manieth failure in a row."""
        own = min(_LONGEST, self._first * 2.0 ** (min(attempt, 10) - 1)) * random.uniform(0.75, 1.25)
        return max(own, error.seconds) if isinstance(error, Busy) else own
