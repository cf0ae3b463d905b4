"""Asking a server for series over a span: Prometheus's HTTP API, which VictoriaMetrics, Thanos and Mimir speak too.

Failures come in three kinds: `Unavailable` may pass by itself (nobody there, 429, 5xx, too slow), `TooMuch` passes
with a shorter span, and other errors are for a person.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from ssl import SSLCertVerificationError
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

import msgspec
import numpy as np
import numpy.typing as npt

from perfcast.collect._access import Access
from perfcast.collect._duration import seconds
from perfcast.collect._promql import check_matcher, narrowed
from perfcast.collect._span import Span
from perfcast.errors import InvalidData, PerfcastError, Unavailable

_LONG = 1500
"""Characters of a request's query string above which it is sent as a form: proxies cut addresses from 2,000 on."""
_MOST_BYTES = 64_000_000
_SLICE = 1 << 16
_TOO_LARGE = 413
_QUERY_WRONG = frozenset({400, 422})
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_PAUSE = 300.0
_SIZE = re.compile(r"maximum resolution|too many|too large|too long|exceed|limit|memory", re.IGNORECASE)
_SLOW = re.compile(r"time[ds]? ?out|deadline|canceled", re.IGNORECASE)


class Gone(Unavailable):
    """Nobody answers at the address."""


class TooMuch(PerfcastError):
    """The server doesn't answer for so many points at once."""


class Busy(Unavailable):
    """The server asks for a pause; `seconds` is how long, 0 where it doesn't say."""

    def __init__(self, text: str, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


class TooSlow(Unavailable):
    """The server took longer than it may; a shorter span may help."""


@dataclass(frozen=True)
class Series:
    """One series of an answer: its labels, seconds since 1970 and values, float64 [n] each."""

    labels: Mapping[str, str]
    moments: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]


class _Found(msgspec.Struct):
    metric: dict[str, str] = {}
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct):
    resultType: str  # noqa: N815  # as the API spells it
    result: Any


class _Answer(msgspec.Struct):
    status: str = ""
    data: _Data | None = None
    error: str = ""
    warnings: list[str] = []
    isPartial: bool = False  # noqa: N815  # of VictoriaMetrics's cluster


class _NoRedirect(HTTPRedirectHandler):
    """Secrets go to the address that was given, to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Prometheus:
    """A server that is asked one query at a time.

    Attributes:
        ahead: Seconds that the server's clock is ahead of this one's, by its last answer; NaN before the first.
        warnings: What it said beside its answers, each once.
    """

    def __init__(self, access: Access) -> None:
        self._access, self._matcher = access, check_matcher(access.matcher)
        self._timeout = seconds("server.timeout", access.timeout)
        self._opener = build_opener(_NoRedirect, HTTPSHandler(context=access.tls()))
        self.address = access.url.rstrip("/")
        self.ahead = float("nan")
        self.warnings: dict[str, None] = {}

    def series(self, query: str, span: Span) -> list[Series]:
        """What a query gives at the instants of a span.

        Raises:
            Unavailable: Nobody answers in time, or only that it can't just now.
            TooMuch: The span has too many points for this server.
            PerfcastError: The query, the address or the access is wrong; the text says what to change.
        """
        asked = {
            "query": narrowed(query, self._matcher),
            "start": str(span.first),
            "end": str(span.last),
            "step": str(span.step),
            "timeout": f"{self._timeout:g}s",
            "nocache": "1",  # VictoriaMetrics would else move the ends of the span
            "partial_response": "false",  # Thanos would else leave out what it can't reach
        }
        answer = self._decoded(self._send(asked))
        if answer.isPartial:
            raise Unavailable(f"{self.address} answers in part only: some of its storage nodes are away")
        self.warnings |= dict.fromkeys(answer.warnings)
        return self._read(answer)

    def _send(self, asked: dict[str, str]) -> bytes:
        address, form = f"{self.address}/api/v1/query_range", urlencode(asked)
        headers = {"Accept": "application/json", "User-Agent": "perfcast"} | self._access.request_headers()
        if len(form) > _LONG:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            request = Request(address, form.encode(), headers, method="POST")  # noqa: S310
        else:
            request = Request(f"{address}?{form}", headers=headers)  # noqa: S310  # the user's own address
        ends = time.monotonic() + self._timeout + 1  # its own timeout comes first, and says more
        try:
            with self._opener.open(request, timeout=self._timeout + 1) as response:
                return self._body(response, ends)
        except HTTPError as error:
            raise self._refusal(error, ends) from None
        except TimeoutError:
            raise self._slow() from None
        except (URLError, OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, TimeoutError):
                raise self._slow() from None
            if isinstance(reason, SSLCertVerificationError):
                raise PerfcastError(
                    f"{self.address} shows a certificate that can't be trusted ({reason.verify_message}); if an "
                    "authority of your own signed it, name its file as server.ca_file"
                ) from None
            told = getattr(reason, "strerror", None) or reason
            raise Gone(f"{self.address} doesn't answer ({told})") from None

    def _body(self, response: HTTPResponse | HTTPError, ends: float) -> bytes:
        found = bytearray()
        while part := response.read1(_SLICE) if isinstance(response, HTTPResponse) else response.read(_SLICE):
            found += part
            if time.monotonic() > ends:
                raise self._slow()
            if len(found) > _MOST_BYTES:
                raise TooMuch(f"{self.address} answers with more than {_MOST_BYTES:,} bytes")
        length = response.headers.get("Content-Length")
        if length and length.isdigit() and len(found) < int(length):
            raise Unavailable(f"{self.address} broke off after {len(found):,} of {int(length):,} bytes")
        self._note_clock(response.headers.get("Date"))
        return bytes(found)

    def _note_clock(self, date: str | None) -> None:
        try:
            self.ahead = parsedate_to_datetime(date or "").timestamp() - time.time()
        except (ValueError, TypeError):
            return

    def _slow(self) -> TooSlow:
        return TooSlow(f"{self.address} took longer than {self._timeout:g} s (server.timeout)")

    def _refusal(self, error: HTTPError, ends: float) -> PerfcastError:
        status = error.code
        try:
            body = self._body(error, ends)
        except (PerfcastError, OSError, HTTPException):
            body = b""
        said = _said(body)
        told = f"{self.address} answers {status}" + (f": {said}" if said else f" {error.reason}")
        if status == _TOO_LARGE or (status in _QUERY_WRONG and _SIZE.search(said)):
            return TooMuch(told)
        if _SLOW.search(said):
            return TooSlow(told)
        if status in _AGAIN:
            return Busy(told, _pause(error.headers.get("Retry-After")))
        return _for_a_person(status, told, error.headers.get("Location"))

    def _decoded(self, body: bytes) -> _Answer:
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.DecodeError:
            begins = " ".join(body[:60].decode(errors="replace").split())
            raise PerfcastError(
                f"{self.address} answers, but not as Prometheus does (it begins {begins!r}); check the path in "
                "server.url and what stands before the server"
            ) from None
        if answer.status != "success" or answer.data is None:
            raise InvalidData(f"{self.address} answers: {answer.error or 'no data'}")
        return answer

    def _read(self, answer: _Answer) -> list[Series]:
        assert answer.data is not None
        if answer.data.resultType != "matrix":
            raise InvalidData(f"{self.address} gives a {answer.data.resultType} where a matrix is expected")
        try:
            found = msgspec.convert(answer.data.result, list[_Found])
            pairs = [np.array(item.values, dtype=np.float64).reshape(-1, 2) for item in found]
        except (msgspec.ValidationError, ValueError) as error:
            raise InvalidData(f"{self.address} gives series that can't be read: {error}") from None
        return [Series(item.metric, pair[:, 0], pair[:, 1]) for item, pair in zip(found, pairs, strict=True)]


def _for_a_person(status: int, told: str, aim: str | None) -> PerfcastError:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return PerfcastError(f"{told}; check bearer_token, username, password and headers under server")
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED) or 300 <= status < 400:
        points = f"it points to {aim}, " if aim else ""
        return PerfcastError(f"{told}; {points}check the path in server.url: it is what stands before /api/v1")
    return InvalidData(told)


def _said(body: bytes) -> str:
    """What a refusal says, in a line."""
    try:
        found = json.loads(body)
        text = str(found.get("error") or found.get("message") or "") if isinstance(found, dict) else ""
    except ValueError:
        text = "" if body.lstrip()[:1] == b"<" else body.decode(errors="replace")
    return " ".join(text.split())[:300]


def _pause(retry_after: str | None) -> float:
    """Seconds that `Retry-After` asks for, bounded; 0 where it says nothing."""
    try:
        return min(max(0.0, float(retry_after or 0)), _LONGEST_PAUSE)
    except ValueError:
        return 0.0
