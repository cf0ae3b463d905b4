"""How a Prometheus server is reached: address, certificates, and secrets that stand elsewhere than in the file."""

import os
import re
import ssl
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from perfcast.collect._duration import seconds
from perfcast.collect._promql import check_matcher
from perfcast.errors import InvalidSetting

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a secret stands: in an environment variable or in a file, which is read anew for each request."""

    env: str = ""
    file: str = ""

    def read(self, where: str) -> str:
        """The secret itself, without a line's end.

        Raises:
            InvalidSetting: There is none, or it can't be sent in a header.
        """
        if bool(self.env) == bool(self.file):
            raise InvalidSetting(f"{where}: say env: NAME or file: PATH, one of them")
        if self.env and self.env not in os.environ:
            raise InvalidSetting(f"{where}: there is no environment variable {self.env}")
        try:
            text = os.environ[self.env] if self.env else Path(self.file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSetting(f"{where}: {self.file} can't be read ({type(error).__name__})") from None
        if not (text := text.strip()) or not text.isprintable():
            raise InvalidSetting(f"{where}: {self.env or self.file} holds no line of text")
        return text


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server that speaks Prometheus's API, and how it is reached.

    Attributes:
        url: Its address, with a path where there is a prefix: what stands before `/api/v1`.
        bearer_token: Sent as `Authorization: Bearer`.
        username, password: Sent as `Authorization: Basic`.
        headers: Further headers, such as `X-Scope-OrgID`; a value is a text or a secret.
        ca_file: PEM file of the authorities that sign the server's certificate.
        cert_file, key_file: The client's own certificate and key, PEM.
        timeout: Seconds that one answer may take, from the first byte sent to the last one read.
        matcher: Label matchers that are added to every selector of every query.
    """

    url: str
    bearer_token: Secret | None = None
    username: str = ""
    password: Secret | None = None
    headers: dict[str, str | Secret] = {}
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    timeout: str | float = 30.0
    matcher: str = ""

    def check(self) -> None:
        """Raises InvalidSetting naming the field that can't be used; reads every secret once."""
        _check_url(self.url)
        if self.bearer_token and (self.username or self.password):
            raise InvalidSetting("server: bearer_token and username exclude each other")
        if bool(self.username) != bool(self.password):
            raise InvalidSetting("server: username and password belong together")
        if self.key_file and not self.cert_file:
            raise InvalidSetting("server.key_file: needs cert_file")
        seconds("server.timeout", self.timeout)
        check_matcher(self.matcher)
        self.request_headers()
        self.tls()

    def request_headers(self) -> dict[str, str]:
        """The headers of a request, secrets read just now.

        Raises:
            InvalidSetting: A secret isn't there, or a header can't be sent.
        """
        found = {}
        for name, value in self.headers.items():
            text = value.read(f"server.headers.{name}") if isinstance(value, Secret) else value
            if not _HEADER.fullmatch(name) or not text.isascii() or not text.isprintable():
                raise InvalidSetting(f"server.headers.{name}: a header is one line of ASCII")
            found[name] = text
        if self.bearer_token:
            token = self.bearer_token.read("server.bearer_token")
            if not token.isascii():
                raise InvalidSetting("server.bearer_token: a header is one line of ASCII")
            found["Authorization"] = f"Bearer {token}"
        if self.password:
            pair = f"{self.username}:{self.password.read('server.password')}"
            found["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return found

    def tls(self) -> ssl.SSLContext:
        """What certificates are checked with and shown.

        Raises:
            InvalidSetting: A file can't be read.
        """
        field = "ca_file"
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            field = "cert_file"
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file or None)
        except (OSError, ssl.SSLError) as error:
            raise InvalidSetting(f"server.{field}: {getattr(self, field)} can't be used ({error})") from None
        return context


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise InvalidSetting(
            "server.url: must hold no password; say username, and password: {env: NAME} or {file: PATH}"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidSetting(f"server.url: expected an address such as http://prometheus:9090, got {url!r}")
    if parts.query or parts.fragment:
        raise InvalidSetting("server.url: must have no '?' and no '#'; it is what stands before /api/v1")
