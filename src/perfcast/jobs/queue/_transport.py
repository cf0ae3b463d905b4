"""Messages that wake workers: Huey's queue, in Redis, in PostgreSQL or in a file.

A message holds a job's id and nothing else. Losing one, or getting one twice, does no harm: the job's row is what
counts, and workers look for queued rows by themselves. Of Huey only the storage is used; its own consumer loses a task
when it is killed, and knows neither cancellation nor heartbeats.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from perfcast.errors import Unavailable
from perfcast.settings import Settings
from perfcast.storage import CONNECT_SECONDS, libpq_address, shown_address

if TYPE_CHECKING:
    from huey.storage import BaseStorage  # type: ignore[import-untyped]

QUEUE = "perfcast"
_T = TypeVar("_T")
_SLICE_SECONDS = 0.1
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 5.0
_PORT = 6379


class Transport:
    """Carries job ids from those who submit to those who work: a Huey queue, opened when first used.

    Its address is without password, for messages; `setting` is what to check where it can't be used. `blocks` says
    whether its `dequeue` waits by itself. All but `close` raise `Unavailable` where the queue can't be reached.
    """

    def __init__(self, address: str, open_storage: "Callable[[], BaseStorage]", *, setting: str, blocks: bool) -> None:
        self.address, self._setting = address, setting
        self._open = open_storage
        self._blocks = blocks
        self._lock = Lock()
        self._opened: BaseStorage | None = None

    def send(self, job: str) -> None:
        """Wake a worker."""
        self._explained(lambda storage: storage.enqueue(job.encode()))

    def receive(self, seconds: float) -> str | None:
        """The next message, or None when none came in time; one that waits by itself does so for a second at most."""
        deadline = time.monotonic() + seconds
        while True:
            message: bytes | None = self._explained(lambda storage: storage.dequeue())
            if message is not None:
                return bytes(message).decode("ascii", "replace")
            left = deadline - time.monotonic()
            if self._blocks or left <= 0:
                return None
            time.sleep(min(_SLICE_SECONDS, left))

    def ping(self) -> None:
        """Ask for the queue's length."""
        self._explained(lambda storage: storage.queue_size())

    def close(self) -> None:
        """Close its connections."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _storage(self) -> "BaseStorage":
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _explained(self, call: "Callable[[BaseStorage], _T]") -> _T:
        try:
            return call(self._storage())
        except Exception as error:
            raise Unavailable(
                f"the queue {self.address} can't be used: {error}; check {self._setting}. Jobs are kept in the "
                "database and run all the same, a little later"
            ) from error


def make_transport(settings: Settings) -> Transport:
    """Redis where `REDIS_URL` names one, else PostgreSQL where state is in it, else a file in `DATA_DIR`."""
    if settings.redis_url:
        shown = _shown(settings.redis_url)
        return Transport(shown, lambda: _redis_storage(settings.redis_url), setting="REDIS_URL", blocks=True)
    if address := libpq_address(settings.database_address):
        shown = shown_address(settings.database_address)
        return Transport(shown, lambda: _postgres_storage(address), setting="DATABASE_URL", blocks=True)
    path = settings.data_dir.absolute() / "queue.db"

    def open_file() -> "BaseStorage":
        from huey import SqliteHuey  # type: ignore[import-untyped]

        path.parent.mkdir(parents=True, exist_ok=True)
        return SqliteHuey(QUEUE, filename=str(path)).storage

    return Transport(str(path), open_file, setting="DATA_DIR", blocks=False)


def _shown(url: str) -> str:
    """A Redis address without whatever may be secret: name, password, and the query, where they may stand too."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    try:
        port = parts.port or _PORT
    except ValueError:  # a password with a slash in it: what seems to be the port isn't one
        return "at REDIS_URL"
    database = parts.path if parts.path[1:].isdecimal() else ""
    return f"{parts.hostname or 'localhost'}:{port}{database}"


def _redis_storage(url: str) -> "BaseStorage":
    from huey import RedisHuey
    from redis import ConnectionPool
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        pool = ConnectionPool.from_url(
            url,
            socket_connect_timeout=_CONNECT_SECONDS,
            socket_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that a restart has cut
        )
    except ValueError:  # whose text may hold a part of the password
        raise ValueError("the address can't be read; write / ? # @ : in a password as %2F %3F %23 %40 %3A") from None
    return RedisHuey(QUEUE, connection_pool=pool).storage


def _postgres_storage(address: str) -> "BaseStorage":
    """A table, and NOTIFY for those who wait; one connection for each process, and one more where a worker waits."""
    import psycopg
    from huey.storage import PostgresStorage

    def connect() -> psycopg.Connection:
        connection = psycopg.connect(
            address,
            connect_timeout=CONNECT_SECONDS,
            application_name="perfcast-queue",
            prepare_threshold=None,  # poolers don't know whose statements were prepared
            autocommit=True,
        )
        connection.execute(f"SET statement_timeout = '{_ANSWER_SECONDS:.0f}s'")
        return connection

    class Storage(PostgresStorage):  # type: ignore[misc]  # Huey has no types
        """One that sends again where a restart has cut its connection."""

        def enqueue(self, data: bytes, priority: float | None = None) -> None:
            try:
                super().enqueue(data, priority)
            except psycopg.OperationalError:  # which is how one learns of it
                super().enqueue(data, priority)

    # a role that may not make tables may use those that are there
    storage = Storage(QUEUE, connection=connect, create_tables=False)
    if storage.sql("SELECT to_regclass(%s)", (storage.table_task,), results=True)[0][0] is None:
        with suppress(psycopg.errors.UniqueViolation):  # another process makes them just now
            storage.initialize_schema()
    return storage
