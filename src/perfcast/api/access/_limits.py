"""How often a caller may ask: moving windows in this process's memory, or shared with all processes through Redis."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog

from perfcast.errors import InvalidSetting

MOST_CALLERS = 20_000
"""Callers whose windows are kept; beyond, the one that was silent for longest is forgotten."""


class Rate(NamedTuple):
    """So many requests in so many seconds."""

    amount: int
    seconds: int


class Excess(NamedTuple):
    """A request too many: the rate it broke, and the seconds until there is room again."""

    rate: Rate
    wait: float


class Windows:
    """When each caller's last requests were admitted, of up to `most` callers; all rates hold for each of them.

    The windows of the `limits` library's own memory are not used: they look through all callers again and again, and
    never forget one.
    """

    def __init__(self, rates: Sequence[Rate], *, most: int = MOST_CALLERS) -> None:
        self._rates = tuple(rates)
        self._most = most
        self._callers: OrderedDict[str, tuple[deque[float], ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._callers)

    def hit(self, caller: str, now: float) -> Excess | None:
        """Admit a request, or say which rate it breaks; what is refused doesn't count. `now` is monotonic seconds."""
        windows = self._callers.get(caller)
        if windows is None:
            windows = self._callers[caller] = tuple(deque(maxlen=rate.amount) for rate in self._rates)
            if len(self._callers) > self._most:
                self._callers.popitem(last=False)
        else:
            self._callers.move_to_end(caller)
        if (excess := self._excess(windows, now)) is not None:
            return excess
        for window in windows:
            window.append(now)
        return None

    def room(self, caller: str, now: float) -> bool:
        """Whether a request would be admitted; counts nothing."""
        windows = self._callers.get(caller)
        return windows is None or self._excess(windows, now) is None

    def _excess(self, windows: tuple[deque[float], ...], now: float) -> Excess | None:
        for rate, window in zip(self._rates, windows, strict=True):
            if len(window) == rate.amount and window[0] > now - rate.seconds:
                return Excess(rate, min(window[0] + rate.seconds - now, rate.seconds))  # a sum of floats may be more
        return None


_PREFIX = "perfcast:limit"
_CONNECTIONS = 16
_ANSWER_SECONDS = 0.25
_LOOK_SECONDS = 0.5

log = structlog.stdlib.get_logger("perfcast.api")


class _SharedWindows:
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


class Limits:
    """Admits requests within the configured rates.

    While Redis doesn't answer, each process counts in its own memory, and no request waits for Redis again: a task asks
    every half second whether it is back. The request that finds it gone waits at most `_ANSWER_SECONDS`.

    Args:
        rates: All of them hold for every caller.
        redis_url: Where the windows are shared; empty: they aren't.
    """

    def __init__(self, rates: Sequence[Rate], redis_url: str = "") -> None:
        self.rates = tuple(rates)
        self._own = Windows(rates)
        self._shared = _SharedWindows(redis_url, self.rates, seconds=_ANSWER_SECONDS) if redis_url else None
        self._looking: asyncio.Task[None] | None = None
        self.problem: str | None = None

    async def hit(self, caller: str) -> Excess | None:
        """Admit a request of a caller, or say which rate it breaks."""
        if self._shared is not None and self._looking is None:
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    return await self._shared.hit(caller)
            except Exception as error:  # noqa: BLE001 - Redis may fail in any way; callers are counted all the same
                self._fall_back(self._shared, error)
        return self._own.hit(caller, time.monotonic())

    def has_room(self, caller: str) -> bool:
        """Whether a request would be admitted, where that is known without waiting for Redis."""
        return self._shared is None and self._own.room(caller, time.monotonic())

    def count(self, caller: str) -> None:
        """Count a request for which there was room."""
        self._own.hit(caller, time.monotonic())

    async def close(self) -> None:
        """Let go of Redis."""
        if self._looking is not None:
            self._looking.cancel()
        if self._shared is not None:
            await self._shared.close()

    def _fall_back(self, shared: _SharedWindows, error: Exception) -> None:
        if self._looking is not None:  # another request, which began before, was told the same
            return
        self.problem = (
            f"Redis doesn't answer ({str(error) or type(error).__name__}): until it does, each process counts by itself"
        )
        log.warning("rate limits are counted in this process's memory", reason=self.problem)
        self._looking = asyncio.get_running_loop().create_task(self._look(shared))

    async def _look(self, shared: _SharedWindows) -> None:
        """Ask until Redis answers, then share again."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await shared.ping()
            except Exception:  # noqa: BLE001, S112 - it is still gone, as was said
                continue
            self.problem = self._looking = None
            log.info("rate limits are shared through Redis again")
            return


def parse_rates(text: str) -> tuple[Rate, ...]:
    """Read `RATE_LIMIT`, such as `600/minute`; several are separated by semicolons. Blank: none.

    Raises:
        InvalidSetting: A part can't be used.
    """
    return tuple(_rate(part.strip()) for part in text.split(";")) if text.strip() else ()


def _rate(text: str) -> Rate:
    from limits import parse_many

    try:
        items = parse_many(text)
    except ValueError:
        items = []
    if text.count(",") or len(items) != 1 or items[0].amount < 1 or items[0].get_expiry() < 1:
        raise InvalidSetting(
            f"RATE_LIMIT: '{text}' is no rate; examples are 600/minute, 10/second, 100 per 5 minutes; several are "
            "separated by ;"
        )
    return Rate(items[0].amount, items[0].get_expiry())
