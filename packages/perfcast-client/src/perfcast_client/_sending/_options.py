"""Where a client asks, as whom, and how patiently."""

import os
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies

from perfcast_client._version import __version__

URL_VARIABLE = "PERFCAST_URL"
KEY_VARIABLE = "PERFCAST_API_KEY"
_USUAL = "http://localhost:8000"


@dataclass(frozen=True)
class Server:
    """A server.

    Attributes:
        url: Without a slash at the end, and without name and password.
        key: Sent with every call; never shown.
        login: `NAME:PASSWORD` for a proxy before the server; never shown, so that no log has it with the address.
    """

    url: str
    key: str = field(repr=False)
    login: str = field(repr=False, default="")

    @classmethod
    def of(cls, url: str | None, key: str | None) -> "Server":
        """A server by address and key, of the environment where they aren't given.

        Raises:
            ValueError: One of them can't be used.
        """
        address = (url or os.environ.get(URL_VARIABLE, "") or _USUAL).rstrip("/")
        key = os.environ.get(KEY_VARIABLE, "") if key is None else key
        parts = urlsplit(address)
        login, _, place = parts.netloc.rpartition("@")
        url = parts._replace(netloc=place).geturl()
        further = parts.query or parts.fragment
        if parts.scheme not in ("http", "https") or not parts.hostname or not _is_port(place) or further:
            raise ValueError(f"url: expected an address such as {_USUAL}, got {url!r}")
        if not all("!" <= character <= "~" for character in key):
            raise ValueError(f"api_key: must be ASCII without blanks; check {KEY_VARIABLE}")
        return cls(url, key, unquote(login))

    @property
    def headers(self) -> dict[str, str]:
        """What every request says."""
        headers = {"User-Agent": f"perfcast-client/{__version__}"}
        if self.key:
            headers["X-API-Key"] = self.key
        if self.login:
            headers["Authorization"] = f"Basic {b64encode(self.login.encode()).decode()}"
        return headers

    def certificates(self) -> ssl.SSLContext | bool:
        """What TLS is checked with: reading the machine's authorities takes 0.1 s, so none are for plain HTTP."""
        if self.url.startswith("https") or any(proxy.startswith("https") for proxy in getproxies().values()):
            return True
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _is_port(place: str) -> bool:
    """Whether what stands behind the host, if anything does, is a port's number."""
    try:
        return urlsplit(f"//{place}").port != 0
    except ValueError:
        return False


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
        for name, value in {"idempotency_key": self.idempotency_key or "", **self.headers}.items():
            if not (value.isascii() and value.isprintable()):  # not shown: it may be a secret
                raise ValueError(f"{name}: a header takes ASCII without line breaks, and that is something else")

    def but(self, **changed: Any) -> "Options":
        """The same but for what isn't None; headers are added."""
        told = {name: value for name, value in changed.items() if value is not None}
        if "headers" in told:
            told["headers"] = {**self.headers, **told["headers"]}
        return replace(self, **told)
