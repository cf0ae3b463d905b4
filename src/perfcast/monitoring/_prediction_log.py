"""The record of every prediction, kept in memory for a moment and written in batches."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread

import structlog

from perfcast.monitoring._records import Record, write_records
from perfcast.storage import Database

CAPACITY = 200_000
"""Records that may wait for the database; what comes on top is dropped and counted."""
_LATELY_SECONDS = 600.0
"""How long records that were lost are a problem of now."""
_TRANSACTION = 10_000

log = structlog.stdlib.get_logger("perfcast.monitoring")


class PredictionLog:
    """Takes records without waiting and writes them from a thread every so many seconds (rule R5).

    Records of the last so many seconds are what a killed process loses; `capacity` says how many may wait, and
    `on_written` is given those that were written, by one thread at a time.

    Attributes:
        written: How many were.
        dropped: How many were lost.
        reason: Why the database takes none just now; None where nothing is known against it.
    """

    def __init__(
        self,
        database: Database,
        *,
        seconds: float,
        capacity: int = CAPACITY,
        on_written: Callable[[Sequence[Record]], object] = lambda _: None,
    ) -> None:
        self._database, self._seconds, self._capacity = database, seconds, capacity
        self._on_written = on_written
        self._waiting: deque[Record] = deque()
        self._lock = Lock()
        self._dropping = Lock()
        self._stop = Event()
        self._thread = Thread(target=self._write_on, name="perfcast-prediction-log", daemon=True)
        self.reason: str | None = None
        self._lost_at: float | None = None
        self.written = 0
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How many wait to be written."""
        return len(self._waiting)

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with it now, or was lately, for `/health`."""
        told = [] if self.reason is None else [f"can't be written, {self.waiting:,} wait: {self.reason}"]
        if self._lost_at is not None and time.monotonic() - self._lost_at < _LATELY_SECONDS:
            told.append(f"{self.dropped:,} were lost, since more than {self._capacity:,} may not wait")
        return {"prediction_records": "; ".join(told)} if told else {}

    def append(self, record: Record) -> None:
        """Take a record; drops and counts it when too many wait."""
        if len(self._waiting) < self._capacity:
            self._waiting.append(record)
        else:
            with self._dropping:
                self.dropped += 1
                self._lost_at = time.monotonic()

    def extend(self, records: Sequence[Record]) -> None:
        """Take many records; where too many wait already, writes them before returning rather than drop any.

        Half of the room is left to `append`. Call it from a thread that may wait.
        """
        if len(self._waiting) + len(records) > self._capacity // 2 and self.reason is None:
            self._try_flush()
        for record in records:
            self.append(record)

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def flush(self) -> None:
        """Write all that waits now before returning; what comes meanwhile, or what the database refuses, waits on."""
        with self._lock:
            left = len(self._waiting)  # under load more comes during each transaction: there would be no end to them
            while left:
                taken = [self._waiting.popleft() for _ in range(min(left, _TRANSACTION))]
                left -= len(taken)
                try:
                    with self._database.begin() as connection:
                        write_records(connection, taken)
                except BaseException:
                    self._waiting.extendleft(reversed(taken))
                    raise
                self.written += len(taken)
                self._on_written(taken)

    def close(self) -> None:
        """Write what waits and stop; what the database refuses now is lost and counted."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._try_flush()
        if self._waiting:
            self.dropped += len(self._waiting)
            log.error("prediction records lost", records=len(self._waiting))

    def _write_on(self) -> None:
        while not self._stop.wait(self._seconds):
            self._try_flush()

    def _try_flush(self) -> None:
        try:
            self.flush()
            self.reason = None
        except Exception as error:  # noqa: BLE001 - whatever the database's driver raises; the records wait on
            if self.reason is None:
                log.error("prediction records can't be written; they wait", reason=str(error))
            self.reason = str(error)
