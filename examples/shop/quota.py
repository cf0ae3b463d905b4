"""A limit of processor time, as a container's: whoever comes when it is used up waits."""

import threading
import time


class Quota:
    """At most so many cores, on average over a second.

    A real container is throttled by the kernel in the middle of whatever it does; here requests wait before their work.

    Args:
        cores: Processor seconds allotted per second.
    """

    def __init__(self, cores: float) -> None:
        self.cores = cores
        self.waited_seconds = 0.0
        self._credit = cores
        self._at, self._used = time.monotonic(), time.process_time()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Return once there is processor time left."""
        while (lacking := self._lacking()) > 0:
            time.sleep(lacking)

    def _lacking(self) -> float:
        """Seconds until there will be processor time again; 0 where there is some."""
        with self._lock:
            now, used = time.monotonic(), time.process_time()
            self._credit = min(self.cores, self._credit + self.cores * (now - self._at) - (used - self._used))
            self._at, self._used = now, used
            lacking = 0.005 - self._credit / self.cores if self._credit <= 0 else 0.0
            self.waited_seconds += lacking
            return lacking
