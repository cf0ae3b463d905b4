"""Everything that calls raise on purpose.

::

    PerfcastClientError
    ├── ConnectionFailed         nobody answers there, or the connection broke
    │   └── TimedOut             not within `timeout`
    ├── UnreadableAnswer         what came is no answer of Perfcast: another server, a proxy's page
    └── ApiError                 the server refuses: `status`, `detail`, `fields`, `request_id`
        ├── InvalidRequest       400, 415, 422: something sent is wrong; `fields` names what
        ├── NotAuthenticated     401: a key is needed, or not known
        ├── NotAllowed           403: the key lacks a scope
        ├── NotFound             404
        ├── Conflict             409: somebody else changed it first, or it is in use
        ├── TooLarge             413: send fewer rows
        ├── TooManyRequests      429: more than RATE_LIMIT allows; `retry_after` says when to ask again
        └── ServerError          5xx
            └── NotReady         503: no usable model, too much to do, or a dependency is away

What is raised has been tried again already, where that could do no harm: see `max_retries`.
"""

from collections.abc import Mapping
from typing import Any


class PerfcastClientError(Exception):
    """The root: its text says what was asked for where, what went wrong, and what to do."""


class ConnectionFailed(PerfcastClientError):
    """Nobody answers there, or the connection broke before the whole answer had come."""


class TimedOut(ConnectionFailed):
    """Nothing came within the time that `timeout` allows."""


class UnreadableAnswer(PerfcastClientError):
    """What came is no answer of Perfcast."""


class ApiError(PerfcastClientError):
    """The server refuses.

    Attributes:
        status: HTTP status.
        detail: The server's words: what was wrong, what was expected, what to do.
        fields: What was wrong with each field that was; for most statuses none.
        request_id: By which the server's log has it; None where the answer had none.
        problem: The answer's problem details (RFC 9457) as they came; empty where it had none.
        retry_after: Seconds after which asking again may help; None where the server doesn't say.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        detail: str,
        fields: Mapping[str, str],
        request_id: str | None,
        problem: Mapping[str, Any],
        retry_after: float | None,
    ) -> None:
        super().__init__(text)
        self.status, self.detail, self.fields = status, detail, fields
        self.request_id, self.problem, self.retry_after = request_id, problem, retry_after


class InvalidRequest(ApiError):
    """Something sent is wrong; `fields` names what."""


class NotAuthenticated(ApiError):
    """A key is needed, or the one that was sent is not known."""


class NotAllowed(ApiError):
    """The key lacks the scope that this needs."""


class NotFound(ApiError):
    """Nothing has that name; the text tells the closest ones."""


class Conflict(ApiError):
    """Somebody else changed it first, or it is in use."""


class TooLarge(ApiError):
    """The body is larger, or has more rows, than the server takes."""


class TooManyRequests(ApiError):
    """More requests than the server's RATE_LIMIT allows."""


class ServerError(ApiError):
    """The server failed."""


class NotReady(ServerError):
    """The server can't just now: no usable model, too much to do, or something it depends on is away."""


_KINDS: Mapping[int, type[ApiError]] = {
    400: InvalidRequest,
    401: NotAuthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
    503: NotReady,
}


def kind_of(status: int) -> type[ApiError]:
    """What is raised for a status."""
    return _KINDS.get(status, ServerError if status >= 500 else ApiError)
