"""The record of every prediction, kept in memory for a moment and written in batches."""

from collections import deque
from collections.abc import Sequence
from itertools import chain
from threading import Event, Lock, Thread
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection

from perfcast.storage import Database, schema

CAPACITY = 200_000
"""Records that may wait for the database; what comes on top is dropped and counted."""
_BATCH = 5_000
_ROWS = 500

log = structlog.stdlib.get_logger("perfcast.monitoring")


class Record(msgspec.Struct, frozen=True, gc=False):
    """One prediction; thousands may wait, so the garbage collector is spared them.

    Attributes:
        id: Unique within an arm; sorts by time.
        model, version: Who answered.
        row: One number a feature, in the order of the version's workload.
        cost, lower, upper: The answer, in the cost's unit; the bounds are None where there were none.
        at: ISO 8601, UTC, with microseconds.
        arm: As whom the version answered: `champion` or `challenger`, chosen for the caller; `named` by the caller; or
            `shadow`, beside the answer with the same id.
    """

    id: str
    model: str
    version: int
    row: Sequence[float]
    cost: float
    lower: float | None
    upper: float | None
    at: str
    arm: str = "champion"


class PredictionLog:
    """Takes records without waiting and writes them from a thread.

    Args:
        database: Where the `prediction` table is.
        seconds: How often to write; what a killed process loses is at most this old (rule R5).
        capacity: Records that may wait.
    """

    def __init__(self, database: Database, *, seconds: float, capacity: int = CAPACITY) -> None:
        self._database = database
        self._seconds = seconds
        self._capacity = capacity
        self._waiting: deque[Record] = deque()
        self._lock = Lock()
        self._dropping = Lock()
        self._stop = Event()
        self._thread = Thread(target=self._write_on, name="perfcast-prediction-log", daemon=True)
        self._failing = False
        self.written = 0
        self.dropped = 0

    def append(self, record: Record) -> None:
        """Take a record; drops and counts it when too many wait."""
        if len(self._waiting) < self._capacity:
            self._waiting.append(record)
        else:
            with self._dropping:
                self.dropped += 1

    def extend(self, records: Sequence[Record]) -> None:
        """Take many records; where too many wait already, writes them before returning rather than drop any.

        Half of the room is left to `append`. Call it from a thread that may wait.
        """
        if len(self._waiting) + len(records) > self._capacity // 2:
            self._try_flush()
        for record in records:
            self.append(record)

    def start(self) -> None:
        """Begin writing."""
        self._thread.start()

    def flush(self) -> None:
        """Write all that waits before returning.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: The database refused; the records wait on.
        """
        with self._lock:
            while self._waiting:
                batch = [self._waiting[index] for index in range(min(len(self._waiting), _BATCH))]
                with self._database.begin() as connection:
                    _insert(connection, batch)
                for _ in batch:
                    self._waiting.popleft()
                self.written += len(batch)

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
            self._failing = False
        except Exception as error:  # noqa: BLE001 - whatever the database's driver raises; the records wait on
            if not self._failing:
                log.error("prediction records can't be written; they wait", reason=str(error))
            self._failing = True


def _insert(connection: Connection, records: Sequence[Record]) -> None:
    """Many rows a statement, straight to the driver.

    The driver gives up the interpreter's lock at every statement; at one row a statement the thread that answers and
    this one would change places for each record.
    """
    columns = [column.name for column in schema.prediction.columns]
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    group = f"({', '.join([mark] * len(columns))})"
    for start in range(0, len(records), _ROWS):
        rows = records[start : start + _ROWS]
        statement = f"INSERT INTO prediction ({', '.join(columns)}) VALUES {', '.join([group] * len(rows))}"  # noqa: S608
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(map(_values, rows))))


def _values(record: Record) -> tuple[Any, ...]:
    """The record in the order of the table's columns."""
    features = msgspec.json.encode(record.row).decode()
    lower, upper = record.lower, record.upper
    return record.id, record.arm, record.model, record.version, features, record.cost, lower, upper, record.at
