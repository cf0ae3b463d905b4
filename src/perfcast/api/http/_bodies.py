"""Bodies read within bounds, of size and of time."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from starlette.types import Message, Receive

from perfcast.api.http._problems import LEAST_RATE, Compressed, Disconnected, TooLarge, TooSlow
from perfcast.errors import InvalidInput
from perfcast.manifest import LARGEST_GRAPH

UPLOAD_BYTES = LARGEST_GRAPH + 2_000_000
"""Most bytes of an upload: the largest graph, a manifest, and what multipart adds."""


_PACKED = (b"gzip", b"deflate")
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


def is_upload(path: str) -> bool:
    """Whether graphs are sent there."""
    return path.startswith("/models/") and path.endswith("/versions")


def may_be_packed(path: str) -> bool:
    """Whether Triton's clients compress what they send there."""
    return path.startswith("/v2/models/") and path.endswith("/infer")


def check_length(
    headers: Iterable[tuple[bytes, bytes]], limit: int, setting: str = "MAX_BODY_BYTES", *, packed: bool = False
) -> bool:
    """Refuse a body by its announced length or encoding, before any of it is read; whether it has to be unpacked.

    Args:
        headers: The request's, names in lower case.
        limit: Most bytes.
        setting: Which setting says so.
        packed: Whether it may be compressed.

    Raises:
        TooLarge: It is longer than the limit.
        Compressed: It would have to be unpacked.
    """
    unpack = False
    for name, value in headers:
        if name == b"content-length" and (len(value) > 18 or int(value) > limit):
            raise TooLarge(limit, setting)
        if name == b"content-encoding" and value.lower() != b"identity":
            if unpack or not packed or value.lower() not in _PACKED:
                known = "only gzip or deflate, once," if packed else "none"
                raise Compressed(value.decode("latin-1")[:40], known)
            unpack = True
    return unpack


async def read_body(
    headers: Iterable[tuple[bytes, bytes]],
    receive: Receive,
    limit: int,
    setting: str = "MAX_BODY_BYTES",
    *,
    packed: bool = False,
) -> bytes | bytearray:
    """The request's body; arguments as of `check_length`.

    Raises:
        TooLarge: It is longer than the limit, as it comes or unpacked; what is beyond isn't read.
        InvalidInput: It can't be unpacked.
        Compressed: It would have to be unpacked.
        Disconnected: The caller left before its end.
    """
    if check_length(headers, limit, setting, packed=packed):
        return await asyncio.to_thread(_unpacked, await _whole(receive, limit, setting), limit, setting)
    return await _whole(receive, limit, setting)


async def _whole(receive: Receive, limit: int, setting: str) -> bytes | bytearray:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        whole: bytes = message.get("body", b"")
        return _bounded(whole, limit, setting)
    body = bytearray()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        _bounded(body, limit, setting)
        if not message.get("more_body", False):
            return body
        message = await receive()
    raise Disconnected


def _unpacked(body: bytes | bytearray, limit: int, setting: str) -> bytes:
    unpacking = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        whole = unpacking.decompress(body, limit + 1)
    except zlib.error as error:
        raise InvalidInput.of("body", f"can't be unpacked as its Content-Encoding says: {error}") from None
    _bounded(whole, limit, setting)
    if not unpacking.eof or unpacking.unused_data:
        more = "is cut off" if not unpacking.eof else "goes on behind its end"
        raise InvalidInput.of("body", f"can't be unpacked as its Content-Encoding says: it {more}")
    return whole


def _bounded(body: bytes | bytearray, limit: int, setting: str) -> bytes | bytearray:
    if len(body) > limit:
        raise TooLarge(limit, setting)
    return body


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
