"""The wish that a loop should end, which a signal handler may express."""

import time

_SLICE_SECONDS = 0.1


class Stopping:
    """A flag without a lock.

    A handler runs between any two steps of the thread that it interrupts, also while that holds the lock of a
    `threading.Event`; setting the event there would wait for ever.
    """

    def __init__(self) -> None:
        self._asked = False

    def ask(self) -> None:
        """Wish that it ends soon."""
        self._asked = True

    def __bool__(self) -> bool:
        """Whether it shall end."""
        return self._asked

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass, or a moment more than it takes until it shall end."""
        deadline = time.monotonic() + seconds
        while not self._asked and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(_SLICE_SECONDS, left))
