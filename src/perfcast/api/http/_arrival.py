"""Bodies that don't come: a caller who sends half of one, or a byte now and then, is not waited for without end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.types import Message, Receive

from perfcast.api.http._problems import LEAST_RATE, TooSlow


class Arrival:
    """An ASGI `receive` that gives up on a body which comes too slowly.

    A body that is already there costs no timer: `receive` is first asked without one. Calls after the body's end,
    which wait for the caller to leave, may take as long as they like.

    Args:
        receive: The server's.
        seconds: How long the body may take, besides one second for each `LEAST_RATE` bytes of it.
        on_late: Called instead of raising; the application is then told that the caller left.
    """

    def __init__(self, receive: Receive, seconds: float, on_late: Callable[[TooSlow], Awaitable[Any]]) -> None:
        self._receive = receive
        self._seconds = seconds
        self._on_late = on_late
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._bytes = 0
        self._complete = False

    async def __call__(self) -> Message:
        """The next message."""
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._begun + self._seconds + self._bytes / LEAST_RATE):
                message = await self._receive()
        except TimeoutError:
            self._complete = True
            await self._on_late(TooSlow(self._seconds))
            return {"type": "http.disconnect"}
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message
