"""Where a client asks, as whom, and how patiently."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from perfcast_client._version import __version__

URL_VARIABLE = "PERFCAST_URL"
KEY_VARIABLE = "PERFCAST_API_KEY"
_USUAL = "http://localhost:8000"


@dataclass(frozen=True)
class Server:
    """A server.

    Attributes:
        url: Without a slash at the end.
        shown: The same without a password, for messages.
        key: Sent with every call; never shown.
    """

    url: str
    shown: str
    key: str = field(repr=False)

    @classmethod
    def of(cls, url: str | None, key: str | None) -> "Server":
        """A server by address and key, of the environment where they aren't given.

        Raises:
            ValueError: One of them can't be used.
        """
        address = (url or os.environ.get(URL_VARIABLE, "") or _USUAL).rstrip("/")
        key = os.environ.get(KEY_VARIABLE, "") if key is None else key
        parts = urlsplit(address)
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"url: expected an address such as {_USUAL}, got {shown!r}")
        if not all("!" <= character <= "~" for character in key):
            raise ValueError(f"api_key: must be ASCII without blanks; check {KEY_VARIABLE}")
        return cls(address, shown, key)

    @property
    def headers(self) -> dict[str, str]:
        """What every request says."""
        known = {"User-Agent": f"perfcast-client/{__version__}"}
        return known | ({"X-API-Key": self.key} if self.key else {})


@dataclass(frozen=True)
class Options:
    """How calls are made.

    Attributes:
        timeout: Most seconds without a byte, while connecting, sending or waiting.
        max_retries: How often a call is tried again.
        headers: Sent too.
        idempotency_key: What the caller calls this request; None lets the client make one up.
    """

    timeout: float = 30.0
    max_retries: int = 2
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        if self.timeout <= 0:
            raise ValueError(f"timeout: must be more than 0 seconds, got {self.timeout!r}")
        if self.max_retries < 0:
            raise ValueError(f"max_retries: must be 0 or more, got {self.max_retries!r}")

    def but(self, **changed: Any) -> "Options":
        """The same but for what isn't None; headers are added."""
        told = {name: value for name, value in changed.items() if value is not None}
        if "headers" in told:
            told["headers"] = {**self.headers, **told["headers"]}
        return replace(self, **told)
