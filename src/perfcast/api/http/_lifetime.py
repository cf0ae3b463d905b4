"""Since when the process serves, whether it can, and whether it is about to end."""

import time

from perfcast.serving import Follower


class Lifetime:
    """The process between its first request and its last, `draining` when it is about to end."""

    def __init__(self, follower: Follower) -> None:
        self.draining = False
        self._follower = follower
        self._began = time.monotonic()

    def begin(self) -> None:
        """Count from now."""
        self._began = time.monotonic()

    @property
    def ready(self) -> bool:
        """Whether some model answers and the process isn't about to end."""
        return bool(self._follower.routes.champions) and not self.draining

    @property
    def uptime_seconds(self) -> float:
        """Seconds since it began."""
        return round(time.monotonic() - self._began, 3)
