"""What a worker does now and then beside its jobs."""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

import structlog

from perfcast.errors import Unavailable

log = structlog.stdlib.get_logger("perfcast.jobs")


class Chore:
    """Done every so many seconds; when it fails, that is logged and it is tried again: jobs must not suffer."""

    def __init__(self, name: str, work: Callable[[], object], *, every_seconds: float) -> None:
        self._name, self._work, self._every_seconds = name, work, every_seconds
        self._next = 0.0
        self._failed = ""

    def follow(self) -> None:
        """Do it again and again, beside the worker's other work, in a thread that ends with the process."""

        def go_on() -> None:
            while True:
                with suppress(Unavailable):  # the worker says so
                    self.do_if_due()
                time.sleep(self._every_seconds)

        Thread(target=go_on, name=f"perfcast-{self._name}", daemon=True).start()

    def do_if_due(self) -> None:
        """Do it if it is time to; raises `Unavailable`, since what the worker needs probably can't be either."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._every_seconds
        try:
            self._work()
            self._failed = ""
        except Unavailable:
            raise
        except Exception as error:  # a row that can't be read, a file that can't be deleted, anything
            reason = f"{type(error).__name__}: {error}"
            if reason != self._failed:  # once, not every second
                log.exception("a chore failed", chore=self._name, reason=reason)
            self._failed = reason
