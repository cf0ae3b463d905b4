"""One call from its first request to its result, without I/O: both transports ask this what to do."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic
from uuid import uuid4

import httpx2
import msgspec

from perfcast_client._call import Call, Repeat, T
from perfcast_client._errors import (
    ApiError,
    ConnectionFailed,
    NotAllowed,
    NotAuthenticated,
    PerfcastClientError,
    TimedOut,
    UnreadableAnswer,
    kind_of,
)
from perfcast_client._sending._options import KEY_VARIABLE, Options, Server
from perfcast_client._sending._pauses import LONGEST_RETRY_AFTER, growing, retry_after

_AGAIN = frozenset({429, 502, 503, 504})
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""Nothing of the request has left."""


@dataclass(frozen=True)
class Raw(Generic[T]):
    """A result with the answer it came in.

    Attributes:
        value: The result.
        content: The answer's body.
        elapsed: Seconds from the first request to the whole answer, pauses included.
        retries: How often it was sent again.
    """

    value: T
    status: int
    headers: Mapping[str, str]
    content: bytes
    request_id: str | None
    elapsed: float
    retries: int


class Exchange(Generic[T]):
    """What to send, and after each try: whether that is the result, a failure, or to be tried again."""

    def __init__(self, call: Call[T], server: Server, options: Options) -> None:
        self._call, self._server, self._options = call, server, options
        self._begun, self._retries = time.monotonic(), 0
        self._where = f"{call.method} {server.url}{call.path}"
        self.request = self._request()

    def _request(self) -> dict[str, Any]:
        """The arguments of httpx2's `request`."""
        call, headers = self._call, {**self._server.headers, **self._call.headers, **self._options.headers}
        if call.repeat is Repeat.KEYED:
            headers["Idempotency-Key"] = self._options.idempotency_key or uuid4().hex
        if call.body is not None:
            headers["Content-Type"] = call.body_type
        query = {name: _text(value) for name, value in call.query.items() if value is not None}
        return {
            "method": call.method,
            "url": self._server.url + call.path,
            "params": query or None,
            "content": call.body,
            "files": call.files,
            "headers": headers,
            "timeout": self._options.timeout,
        }

    def broken(self, error: httpx2.HTTPError) -> float:
        """Seconds to wait before the same is sent again, after no answer came; raises where it isn't."""
        failure = connection_failed(error, self._where, self._server, self._options.timeout)
        harmless = isinstance(error, _UNSENT) or self._call.repeat is not Repeat.UNSENT
        timed_out = isinstance(error, httpx2.TimeoutException) and not isinstance(error, httpx2.ConnectTimeout)
        return self._pause(failure, growing(self._retries), harmless=harmless and not timed_out)

    def answered(self, response: httpx2.Response) -> "float | Raw[T]":
        """The result; or seconds to wait before the same is sent again; raises where it is a refusal."""
        if response.is_success or response.status_code in self._call.answers:
            return self._result(response)
        error = refusal(response, self._where)
        harmless = error.status == 429 or (error.status in _AGAIN and self._call.repeat is not Repeat.UNSENT)
        wanted = error.retry_after
        pause = growing(self._retries) if wanted is None else wanted
        return self._pause(error, pause, harmless=harmless and pause <= LONGEST_RETRY_AFTER)

    def _pause(self, error: PerfcastClientError, seconds: float, *, harmless: bool) -> float:
        if not harmless or self._retries >= self._options.max_retries:
            raise error from None
        self._retries += 1
        return seconds

    def _result(self, response: httpx2.Response) -> Raw[T]:
        try:
            value = self._call.read(response.content)
        except (msgspec.MsgspecError, ValueError, TypeError, LookupError, OSError) as error:
            raise UnreadableAnswer(
                f"{self._where}: answered {response.status_code} with what can't be read ({error}); is that address "
                "Perfcast's, and no older than this client?"
            ) from None
        elapsed = time.monotonic() - self._begun
        name = response.headers.get("x-request-id")
        return Raw(value, response.status_code, response.headers, response.content, name, elapsed, self._retries)


def connection_failed(error: httpx2.HTTPError, where: str, server: Server, timeout: float) -> ConnectionFailed:
    """What is told of a request that got no answer."""
    if isinstance(error, httpx2.TimeoutException):
        return TimedOut(f"{where}: nothing came for {timeout:g} s; give it a longer timeout, or ask for less at once")
    reason = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return ConnectionFailed(
            f"{server.url} shows a certificate that can't be trusted ({reason}); if an authority of your own signed "
            "it, name its file in SSL_CERT_FILE"
        )
    if isinstance(error, _UNSENT):
        return ConnectionFailed(f"{server.url} doesn't answer ({reason}); is `perfcast up` running there?")
    return ConnectionFailed(f"{where}: the connection broke before the whole answer had come ({reason}); ask again")


def refusal(response: httpx2.Response, where: str) -> ApiError:
    """What is raised for an answer, read whole, that is none."""
    problem = _problem(response)
    detail = str(problem.get("detail") or f"{response.reason_phrase or 'no reason given'}{_moved(response)}")
    kind = kind_of(response.status_code)
    name = problem.get("request_id") or response.headers.get("x-request-id")
    asked = f" (request {name})" if name else ""
    hint = f"; give api_key or set {KEY_VARIABLE}" if kind in (NotAuthenticated, NotAllowed) else ""
    wrong = problem.get("errors")
    told = [item for item in wrong if isinstance(item, dict)] if isinstance(wrong, list) else []
    return kind(
        f"{where}: {response.status_code}: {detail}{hint}{asked}",
        status=response.status_code,
        detail=detail,
        fields={str(item.get("field")): str(item.get("message")) for item in told},
        request_id=name,
        problem=problem,
        retry_after=retry_after(response.headers.get("retry-after")),
    )


def _problem(response: httpx2.Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(response.content, type=dict[str, Any])
    except msgspec.MsgspecError:
        return {}


def _moved(response: httpx2.Response) -> str:
    """Redirections aren't followed: the key would go with them."""
    where = response.headers.get("location")
    return f"; it is at {where} now, give that address as url" if where and response.is_redirect else ""


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
