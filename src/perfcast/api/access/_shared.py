"""Moving windows in Redis, shared by all processes and replicas: the scripts of the `limits` library."""

import time
from collections.abc import Sequence
from typing import Any

from perfcast.api.access._windows import Excess, Rate

_PREFIX = "perfcast:limit"
_CONNECTIONS = 16


class SharedWindows:
    """When each caller's last requests were admitted, by any process.

    Args:
        url: Address of Redis.
        rates: All of them hold for every caller. A request that breaks a later one has counted for the earlier ones.
        seconds: Longest wait for a connection or an answer.
    """

    def __init__(self, url: str, rates: Sequence[Rate], *, seconds: float) -> None:
        from limits.aio.storage import RedisStorage
        from redis.asyncio import BlockingConnectionPool, Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self._rates = tuple(rates)
        self._pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=seconds,
            socket_connect_timeout=seconds,
            socket_timeout=seconds,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that a restart has cut
        )
        self._redis = Redis(connection_pool=self._pool)
        options: dict[str, Any] = {"connection_pool": self._pool}
        self._storage = RedisStorage("async+redis://", implementation="redispy", key_prefix=_PREFIX, **options)

    async def hit(self, caller: str) -> Excess | None:
        """Admit a request, or say which rate it breaks; what is refused doesn't count."""
        for rate in self._rates:
            name = f"{caller}/{rate.amount}/{rate.seconds}"
            if not await self._storage.acquire_entry(name, rate.amount, rate.seconds):
                oldest, _ = await self._storage.get_moving_window(name, rate.amount, rate.seconds)
                return Excess(rate, max(0.0, oldest + rate.seconds - time.time()))
        return None

    async def ping(self) -> None:
        """Raise unless Redis answers."""
        await self._redis.ping()

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.disconnect()
