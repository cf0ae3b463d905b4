"""What a caller is known by, so that it meets the same arm of a split each time."""

from collections.abc import Iterable
from typing import Any

CLIENT = "perfcast.client"
"""Key of the caller's name in an ASGI scope, where access rules have found one."""


def caller_key(headers: Iterable[tuple[bytes, bytes]], client: str | None) -> str:
    """The caller's `X-Request-Key`, else the client's name or address; headers have names in lower case."""
    for name, value in headers:
        if name == b"x-request-key":
            return value.decode("latin-1")
    return client or ""


def key_of(scope: Any) -> str:
    """`caller_key` of an ASGI scope."""
    client = scope.get(CLIENT)
    if client is None and scope.get("client"):
        client = scope["client"][0]
    return caller_key(scope["headers"], client)
