"""`prediction_latency` lines: a few predictions a second, told off their hot path."""

import logging
from threading import Event, Thread

import structlog

log = structlog.stdlib.get_logger("perfcast.api")


class LatencyLines:
    """Tells of at most so many predictions a second.

    A thread says when one is `due`, which is all that a prediction looks at; whoever finds it so gives itself with
    `take`, and the thread writes the line. No prediction waits for a log.

    Args:
        a_second: Lines; 0 for none.

    Attributes:
        due: Whether the next prediction shall be told.
    """

    def __init__(self, a_second: float) -> None:
        self.due = False
        wanted = a_second > 0 and logging.getLogger("perfcast.api").isEnabledFor(logging.INFO)
        self._wait = 1 / a_second if wanted else 0.0
        self._taken: tuple[str, int, float, str] | None = None
        self._stop = Event()
        self._thread = Thread(target=self._run, name="perfcast-latency-lines", daemon=True)

    def start(self) -> None:
        """Begin to ask for predictions."""
        if self._wait:
            self._thread.start()

    def take(self, model: str, version: int, seconds: float, prediction_id: str) -> None:
        """The prediction that was asked for."""
        self.due = False
        self._taken = model, version, seconds, prediction_id

    def close(self) -> None:
        """Tell what was taken last, and end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.due = self._taken is None
            self._stop.wait(self._wait)
            self._tell()
        self.due = False

    def _tell(self) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            model, version, seconds, prediction_id = taken
            about = {"model": model, "version": version, "milliseconds": round(seconds * 1000, 3)}
            log.info("prediction_latency", **about, prediction_id=prediction_id)
