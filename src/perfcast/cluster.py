"""The one way to a Dask cluster, for trials and for batch scoring."""

from typing import Any

from perfcast.errors import MissingDependency, Unavailable

CONNECT_SECONDS = 10


def connect(address: str) -> Any:
    """Open a connection to a scheduler: a `distributed.Client`, whose methods carry no types.

    Args:
        address: Such as `tcp://scheduler:8786`.

    Raises:
        MissingDependency: Dask is not installed.
        Unavailable: Nothing answers there.
    """
    try:
        import distributed
    except ImportError:
        raise MissingDependency(
            "DASK_SCHEDULER_ADDRESS is set, but Dask is not installed: pip install 'perfcast[cluster]', or unset it"
        ) from None
    client: Any = distributed.Client
    try:
        return client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"no Dask scheduler answers at {address} ({error}); start one with `dask scheduler` and workers with "
            "`dask worker ADDRESS`, or unset DASK_SCHEDULER_ADDRESS"
        ) from None
