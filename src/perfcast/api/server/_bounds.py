"""Bounds on a connection: on what may come before a request's body, and on how long nothing may move.

uvicorn with httptools takes heads of any size: 100 MB of headers on one connection took 1.3 GB. Its own timer ends
connections that are idle between two requests, and bodies are `Arrival`'s; half-sent heads, and answers that nobody
reads, are looked at once a second from outside, so that it costs the requests themselves nothing. `docs/bad-input.md`
has the answers.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, TypeAlias

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from perfcast.api.http._problems import CONTENT_TYPE, Problem, TooSlow, problem_of, problem_of_status

HEAD_BYTES = 65_536
"""Most bytes of a request's line and headers. Of what one read brings, more may be in memory for a moment."""
HEADER_LINES = 200
"""Most headers of a request."""


def last_words(problem: Problem, request_id: str = "") -> bytes:
    """A problem as the response after which a connection is closed."""
    body, phrase = problem.body(request_id), HTTPStatus(problem.status).phrase
    head = f"HTTP/1.1 {problem.status} {phrase}\r\nconnection: close\r\ncontent-type: {CONTENT_TYPE}\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


class _HeadTooLarge(Exception):
    """Stops the parser, which tells uvicorn that it can't go on."""


class BoundedHeads(HttpToolsProtocol):
    """uvicorn's protocol, with a bound on a request's head, and problem details for what is no HTTP."""

    _in_head = False
    _head_began = False
    _head_bytes = 0
    _read_bytes = 0
    _too_large = False

    def data_received(self, data: bytes) -> None:
        """Take what was read from the socket; a head that is unfinished after `HEAD_BYTES` is refused."""
        self._read_bytes = len(data) + (self._read_bytes if self._in_head else 0)
        self._head_began = not self._in_head
        super().data_received(data)
        if self._in_head and not self._head_began:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._too_large = True
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = self._head_began = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head has ended."""
        self._in_head = False
        if len(self.headers) > HEADER_LINES or (self._read_bytes > HEAD_BYTES and self._size() > HEAD_BYTES):
            self._too_large = True
            raise _HeadTooLarge
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's one sentence says less
        """Refuse what can't be understood, or is too large, and close the connection."""
        if self.transport.is_closing():
            return
        if self._too_large:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            detail = f"a request's line and headers may have {HEAD_BYTES:,} bytes and {HEADER_LINES} lines in all"
        else:
            status = HTTPStatus.BAD_REQUEST
            detail = "this is no valid HTTP/1.1 request"
        self.transport.write(last_words(problem_of_status(status, detail), secrets.token_hex(13)))
        self.transport.close()

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)


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
