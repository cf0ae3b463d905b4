"""`POST /predict` answered while its bytes are parsed, without an ASGI cycle.

For each request uvicorn makes a scope, a cycle, an event and a task, and puts the response together header by header;
together that takes more time than the prediction. A request that is there and can be answered at once needs none of
it. Whatever is not so plain (a body that is long in coming, pipelining, HTTP/1.0, anything but a 200) is handed to
uvicorn as if nothing had happened, so that there is one place for limits, timeouts and problems: `Front`.
"""

from asyncio import TimerHandle
from collections.abc import Callable, Sequence
from typing import TypeAlias

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from perfcast.api.server._bounds import BoundedHeads

Headers: TypeAlias = Sequence[tuple[bytes, bytes]]
AtOnce: TypeAlias = Callable[[Headers, tuple[str, int] | None, bytearray], tuple[bytes, bytes] | None]
"""From headers, client and body to further header lines and the answer; None where it takes more than that."""
_PATH = b"/predict"
_STATUS = b"HTTP/1.1 200 OK\r\n"
_KIND = b"content-type: application/json\r\n"
_PATIENCE_SECONDS = 0.1
"""How long a body may be in coming; many clients send it right after the headers, in a packet of its own."""
_MOST_BYTES = 65_536
"""Longer bodies are read by uvicorn, which holds back a caller who sends faster than is read."""


class DirectProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a short way for `POST /predict`; `direct_protocol` gives it what answers."""

    at_once: AtOnce
    _held: bytearray | None = None
    _impatience: TimerHandle | None = None
    _dated: Headers = ()
    _head = b""

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network."""
        super().data_received(data)
        if self._held is not None and self._impatience is None:
            self._impatience = self.loop.call_later(_PATIENCE_SECONDS, self._hand_over)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was held back."""
        self._release()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End once what has begun is answered."""
        if self._held is not None:
            self._hand_over()
        super().shutdown()

    def on_headers_complete(self) -> None:
        """Hold a request back that may be answered at once, until its body is there."""
        if self.url == _PATH and self._is_plain():
            self._held = bytearray()
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        if self._held is None:
            super().on_body(body)
            return
        self._held += body
        if len(self._held) > _MOST_BYTES:
            self._hand_over()

    def on_message_complete(self) -> None:
        """Answer what was held back, or hand it over."""
        if self._held is not None:
            reply = self.at_once(self.headers, self.client, self._held) if self.parser.should_keep_alive() else None
            if reply is not None:
                self._release()
                self._send(*reply)
                return
            self._hand_over()
        super().on_message_complete()

    def _is_plain(self) -> bool:
        parser, cycle = self.parser, self.cycle
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and (cycle is None or cycle.response_complete)
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not parser.should_upgrade()
        )

    def _send(self, lines: bytes, answer: bytes) -> None:
        dated = self.server_state.default_headers
        if dated is not self._dated:  # uvicorn makes a new list each second
            self._dated = dated
            self._head = _STATUS + b"".join(b"%b: %b\r\n" % header for header in dated) + _KIND
        self.transport.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (self._head, lines, len(answer), answer))
        self.on_response_complete()

    def _hand_over(self) -> None:
        """Let uvicorn do what it would have done by now."""
        held = self._release()
        super().on_headers_complete()
        if held:
            super().on_body(bytes(held))

    def _release(self) -> bytearray:
        """Hold nothing back any more; gives what was."""
        held, self._held = self._held or bytearray(), None
        if self._impatience is not None:
            self._impatience.cancel()
            self._impatience = None
        return held


def direct_protocol(at_once: AtOnce) -> type[DirectProtocol]:
    """The protocol for one application; `at_once` answers a whole request, or leaves it to the application."""
    return type("BoundedDirectProtocol", (BoundedHeads, DirectProtocol), {"at_once": staticmethod(at_once)})
