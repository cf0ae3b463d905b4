"""The connection to a Dask cluster."""

import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Self

from perfcast.cluster._address import is_encrypted
from perfcast.cluster._versions import DISTRIBUTIONS, differences, summary
from perfcast.errors import MissingDependency, Unavailable

CONNECT_SECONDS = 10
"""How long a scheduler is waited for, and then its first worker."""
WORKERLESS_SECONDS = 30.0
"""How long work waits for a worker when all have gone, before it is given up."""
_COUNT_SECONDS = 1.0
_VERSIONS_SECONDS = 30
_CLOSE_SECONDS = 2


class WorkersLostError(Exception):
    """The workers that had a call were killed, one after another."""


class Cluster:
    """A connection to a scheduler that has workers, which notices when either is gone. Not for several threads.

    What is sent goes to whichever worker is free; Dask does a killed worker's calls again elsewhere by itself.

    Addresses that begin with `tls://` take their certificates from Dask's own settings; then nothing goes unencrypted.
    Scheduler and workers must have the same versions as this machine, those that come later too.

    Args:
        address: Such as `tcp://scheduler:8786`.

    Attributes:
        client: A `distributed.Client`, whose methods carry no types.
        under_way: The futures of what was sent and has not ended.

    Raises:
        MissingDependency: Dask is not installed.
        Unavailable: Nothing answers there, it has no worker, or something there has another version.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self.client = _connect(address)
        self.under_way: set[Any] = set()
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._threads, self._counted, self._seen = 0, 0.0, time.monotonic()
        self._alike: set[str] = set()
        try:
            self.client.wait_for_workers(1, timeout=CONNECT_SECONDS)
            self._threads = self._count()
        except TimeoutError:
            self.close()
            raise self._no_worker() from None
        except Unavailable:
            self.close()
            raise

    @property
    def threads(self) -> int:
        """Those of all workers together, as many as there are just now; 0 for a while when all have gone.

        Raises:
            Unavailable: The scheduler is gone, there has been no worker for `WORKERLESS_SECONDS`, or a worker came that
                has another version.
        """
        self.require_scheduler()
        now = time.monotonic()
        if now - self._counted > _COUNT_SECONDS:
            self._counted, self._threads = now, self._count()
            self._seen = now if self._threads else self._seen
            if now - self._seen > WORKERLESS_SECONDS:
                raise self._no_worker()
        return self._threads

    def require_scheduler(self) -> None:
        """Make sure that the scheduler is there.

        Raises:
            Unavailable: It isn't.
        """
        if self.client.status != "running":
            raise self._no_scheduler()

    def send(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Have a worker call something.

        Returns:
            Its future, with which `ended` tells of it.

        Raises:
            Unavailable: The scheduler is gone.
        """
        self.require_scheduler()
        future = self.client.submit(call, *arguments, pure=False)
        self.under_way.add(future)
        future.add_done_callback(self._done.put)
        return future

    def ended(self, seconds: float, *, gather: float) -> tuple[Any, Any] | None:
        """The future of a call that has ended, and what it gave, or the exception that it raised.

        Args:
            seconds: How long to wait for one.
            gather: How long its result may take to come; it is asked for again where it was lost with its worker.

        Raises:
            Unavailable: The scheduler is gone.
        """
        try:
            future = self._done.get(timeout=seconds)
        except Empty:
            return None
        if future not in self.under_way:
            return None
        result = self._result(future, gather)
        if result is None:
            self._done.put(future)
            return None
        self.under_way.discard(future)
        return future, result

    def cancel(self, *futures: Any) -> None:
        """Say that results are no longer wanted; nothing happens where the scheduler is gone."""
        self.under_way.difference_update(futures)
        if futures and self.client.status == "running":
            with suppress(OSError):  # it may go just now; without it nothing runs anyway
                self.client.cancel(futures, force=True)

    def close(self) -> None:
        """Cancel what is under way, which workers notice by themselves, and end the connection."""
        self.cancel(*self.under_way)
        with suppress(OSError):
            self.client.close(timeout=_CLOSE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _result(self, future: Any, gather: float) -> Any:
        """What a call gave or raised; None while that is lost with its worker, and done again elsewhere."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            return future.result(timeout=gather)
        except Exception as error:  # noqa: BLE001 - whatever a worker raised is for the caller to judge
            self.require_scheduler()
            if isinstance(error, KilledWorker | FutureCancelledError):
                return WorkersLostError(str(error))
            if future.status == "error" or not isinstance(error, OSError):
                return error
            if isinstance(error, TimeoutError):
                return None
            raise self._no_scheduler() from None  # the connection broke just now

    def _count(self) -> int:
        try:
            threads = self.client.nthreads()
            if not self._alike.issuperset(threads):
                self._alike |= self._require_same_versions()
        except OSError:  # also Dask's own, which say that a connection was closed
            raise self._no_scheduler() from None
        return sum(threads.values())

    def _require_same_versions(self) -> set[str]:
        """The workers that said which versions they have, the same as here."""
        from distributed.versions import get_versions

        def ask(call: Any, **given: Any) -> Any:
            return self.client.sync(call, **given, callback_timeout=_VERSIONS_SECONDS)

        packages, scheduler = list(DISTRIBUTIONS), self.client.scheduler
        try:
            theirs = ask(scheduler.versions, packages=packages)["packages"]
            message = {"op": "versions", "packages": packages}
            workers = ask(scheduler.broadcast, msg=message, on_error="ignore")
        except TimeoutError:
            raise Unavailable(f"a machine of the Dask cluster at {self._address} does not say its versions") from None
        said = {at: answer["packages"] for at, answer in workers.items() if isinstance(answer, dict)}
        if found := differences(get_versions(packages)["packages"], theirs, said):
            raise Unavailable(
                f"the Dask cluster at {self._address} needs the versions that are here: {summary(found)}. Install "
                "there what is installed here, and start its scheduler and workers again"
            )
        return set(said)

    def _no_scheduler(self) -> Unavailable:
        return Unavailable(f"the Dask scheduler at {self._address} does not answer any more")

    def _no_worker(self) -> Unavailable:
        return Unavailable(
            f"the Dask scheduler at {self._address} has no workers; start one with `dask worker {self._address}` where "
            "the same version of perfcast[train,cluster] is installed as here (with another one workers end by "
            "themselves), or unset DASK_SCHEDULER_ADDRESS"
        )


def unwanted_here() -> Callable[[], bool]:
    """On a worker: what tells whether the result of the present call is no longer wanted."""
    from distributed import get_worker

    worker: Any = get_worker()
    tasks, key = worker.state.tasks, worker.get_current_task()

    def unwanted() -> bool:
        known = tasks.get(key)
        return known is None or known.state == "cancelled"

    return unwanted


def _connect(address: str) -> Any:
    try:
        import distributed
    except ImportError:
        raise MissingDependency(
            "DASK_SCHEDULER_ADDRESS is set, but Dask is not installed: pip install 'perfcast[cluster]', or unset it"
        ) from None

    class Client(distributed.Client):
        """One that is closed by hand: a half-built one would wait for its loop in the garbage collector."""

        def __del__(self) -> None:
            """Do nothing."""

    client: Any = Client
    security: Any = distributed.Security
    try:
        encrypted = security(require_encryption=True) if is_encrypted(address) else None
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False, security=encrypted)
    except TypeError:
        raise Unavailable(
            f"the Dask scheduler at {address} asks for a certificate, and there is none here: set DASK_CONFIG to the "
            "file `client.yaml` that `perfcast cluster certificates` made"
        ) from None
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"no Dask scheduler answers at {address} ({error}); start one with `dask scheduler` and workers with "
            "`dask worker ADDRESS`, or unset DASK_SCHEDULER_ADDRESS"
        ) from None
