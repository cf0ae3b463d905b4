"""Connections on which nothing moves: half-sent headers, and answers that nobody reads.

uvicorn's own timer ends connections that are idle between two requests; bodies are `_arrival.py`'s. What is left is
looked at once a second from outside, so that it costs the requests themselves nothing.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from perfcast.api.http._problems import TooSlow, problem_of
from perfcast.api.server._heads import last_words

_Standstill: TypeAlias = tuple[str, Any, int]
"""What a connection waits for, the message concerned, and how many bytes of an answer are still unsent."""


class Watch:
    """Ends connections that have stood still for `seconds`; `on_late` is called for each whose headers didn't come."""

    def __init__(self, seconds: float, on_late: Callable[[], None]) -> None:
        self._seconds, self._on_late = seconds, on_late
        self._seen: dict[HttpToolsProtocol, tuple[_Standstill, float]] = {}

    def look(self, connections: Iterable[Any]) -> None:
        """Look at every connection of the server; call it about once a second."""
        now = time.monotonic()
        seen = self._seen
        self._seen = {}
        for connection in list(connections):
            state = _standstill(connection)
            if state is None:
                continue
            before, since = seen.get(connection, (None, now))
            if before is None or before[0] != state[0] or before[1] is not state[1] or before[2] != state[2]:
                since = now
            if now - since >= self._seconds:
                self._end(connection, state)
            else:
                self._seen[connection] = (state, since)

    def _end(self, connection: HttpToolsProtocol, state: _Standstill) -> None:
        kind, message, _ = state
        if kind == "headers":
            if message is not None:  # a caller who never sent a byte is not told anything
                connection.transport.write(last_words(problem_of(TooSlow(self._seconds))))
            self._on_late()
            connection.transport.close()
        else:
            connection.transport.abort()


def _standstill(connection: HttpToolsProtocol) -> _Standstill | None:
    """What the connection waits for just now; None where it is idle, or the application is at work."""
    unsent = connection.transport.get_write_buffer_size()
    if unsent:
        return "answer", connection.scope, unsent
    if connection.transport.is_closing() or connection.timeout_keep_alive_task is not None:
        return None
    if connection.cycle is None or connection.cycle.response_complete:
        return "headers", connection.scope, 0
    return None
