"""The one way to a Dask cluster, for trials and for batch scoring."""

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from perfcast.errors import MissingDependency, Unavailable

CONNECT_SECONDS = 10
"""How long a scheduler is waited for, and then its first worker."""
WORKERLESS_SECONDS = 30.0
"""How long work waits for a worker when all have gone, before it is given up."""
_COUNT_SECONDS = 1.0
_CLOSE_SECONDS = 2


class Cluster:
    """A connection to a scheduler that has workers, which notices when either is gone. Not for several threads.

    Addresses that begin with `tls://` take their certificates from Dask's own settings.

    Args:
        address: Such as `tcp://scheduler:8786`.

    Attributes:
        client: A `distributed.Client`, whose methods carry no types.

    Raises:
        MissingDependency: Dask is not installed.
        Unavailable: Nothing answers there, or it has no worker.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self.client = _connect(address)
        self._threads, self._counted, self._seen = 0, 0.0, time.monotonic()
        try:
            self.client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            self.close()
            raise self._no_worker() from None

    @property
    def threads(self) -> int:
        """Those of all workers together, as many as there are just now; 0 for a while when all have gone.

        Raises:
            Unavailable: The scheduler is gone, or there has been no worker for `WORKERLESS_SECONDS`.
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

    def cancel(self, futures: Iterable[Any]) -> None:
        """Say that results are no longer wanted; nothing happens where the scheduler is gone."""
        wanted = list(futures)
        if wanted and self.client.status == "running":
            with suppress(OSError):  # it may go just now; without it nothing runs anyway
                self.client.cancel(wanted, force=True)

    def close(self) -> None:
        """End the connection; the scheduler forgets what it was asked for."""
        with suppress(OSError):
            self.client.close(timeout=_CLOSE_SECONDS)

    def _count(self) -> int:
        try:
            return sum(self.client.nthreads().values())
        except OSError:  # also Dask's own, which say that a connection was closed
            raise self._no_scheduler() from None

    def _no_scheduler(self) -> Unavailable:
        return Unavailable(f"the Dask scheduler at {self._address} does not answer any more")

    def _no_worker(self) -> Unavailable:
        return Unavailable(
            f"the Dask scheduler at {self._address} has no workers; start one with `dask worker {self._address}` where "
            "the same version of perfcast[train,cluster] is installed as here (with another one workers end by "
            "themselves), or unset DASK_SCHEDULER_ADDRESS"
        )


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
    try:
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # the last where `tls://` has no certificates
        raise Unavailable(
            f"no Dask scheduler answers at {address} ({error}); start one with `dask scheduler` and workers with "
            "`dask worker ADDRESS`, or unset DASK_SCHEDULER_ADDRESS"
        ) from None
