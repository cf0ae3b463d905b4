"""Bodies read within bounds."""

from collections.abc import Iterable

from starlette.types import Receive

from perfcast.api.http._problems import Compressed, Disconnected, TooLarge
from perfcast.manifest import LARGEST_GRAPH

UPLOAD_BYTES = LARGEST_GRAPH + 2_000_000
"""Most bytes of an upload: the largest graph, a manifest, and what multipart adds."""


def is_upload(path: str) -> bool:
    """Whether graphs are sent there."""
    return path.startswith("/models/") and path.endswith("/versions")


def check_length(headers: Iterable[tuple[bytes, bytes]], limit: int, setting: str = "MAX_BODY_BYTES") -> None:
    """Refuse a body by its announced length or encoding, before any of it is read.

    Raises:
        TooLarge: It is longer than the limit.
        Compressed: It would have to be unpacked.
    """
    for name, value in headers:
        if name == b"content-length" and (len(value) > 18 or int(value) > limit):
            raise TooLarge(limit, setting)
        if name == b"content-encoding" and value.lower() != b"identity":
            raise Compressed(value.decode("latin-1")[:40])


async def read_body(
    headers: Iterable[tuple[bytes, bytes]], receive: Receive, limit: int, setting: str = "MAX_BODY_BYTES"
) -> bytes | bytearray:
    """The request's body.

    Raises:
        TooLarge: It is longer than the limit; what is beyond isn't read.
        Compressed: It would have to be unpacked.
        Disconnected: The caller left before its end.
    """
    check_length(headers, limit, setting)
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


def _bounded(body: bytes | bytearray, limit: int, setting: str) -> bytes | bytearray:
    if len(body) > limit:
        raise TooLarge(limit, setting)
    return body
