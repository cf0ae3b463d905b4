"""What goes wrong, as HTTP: RFC 9457 problem details, in one table."""

from http import HTTPStatus
from typing import Any

import msgspec

from perfcast.errors import (
    BrokenVersion,
    Conflict,
    FieldError,
    InvalidDeclaration,
    InvalidInput,
    MissingDependency,
    NotFound,
    NoUsableModel,
    Refused,
    Unavailable,
)

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 5
SOON_SECONDS = 1


class TooLarge(Exception):
    """A body is larger than allowed."""

    def __init__(self, limit: int, setting: str = "MAX_BODY_BYTES") -> None:
        super().__init__(f"the body is larger than the {limit:,} bytes that {setting} allows; send fewer rows")


class TooManyRows(Exception):
    """A batch has more rows than allowed."""

    def __init__(self, limit: int, who: str = "MAX_BATCH_ROWS") -> None:
        super().__init__(f"the batch has more than the {limit:,} rows that {who} allows; send several")


class Compressed(Exception):
    """A body is compressed; unpacked, a small one could be of any size."""

    def __init__(self, encoding: str, known: str = "none") -> None:
        super().__init__(f"the body's Content-Encoding is {encoding!r}, and {known} is unpacked; send it as it is")


LEAST_RATE = 16_384
"""Bytes per second at which a long body may come for as long as it takes."""


class TooSlow(Exception):
    """A request didn't come in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the request did not come within the {seconds:g} s that REQUEST_TIMEOUT_SECONDS allows (a body has a "
            f"second more for each {LEAST_RATE:,} bytes); send it faster"
        )


class Overloaded(Exception):
    """The process has as much to do as it takes on."""


class Disconnected(Exception):
    """The caller left before the whole body came."""


STATUSES: tuple[tuple[type[Exception], int, str], ...] = (
    (InvalidInput, 422, "invalid-input"),
    (InvalidDeclaration, 422, "invalid-declaration"),
    (NotFound, 404, "not-found"),
    (NoUsableModel, 503, "no-usable-model"),
    (Conflict, 409, "conflict"),
    (BrokenVersion, 422, "broken-version"),
    (Refused, 422, "refused"),
    (MissingDependency, 501, "missing-dependency"),
    (Unavailable, 503, "unavailable"),
    (TooLarge, 413, "too-large"),
    (Compressed, 415, "compressed"),
    (TooSlow, 408, "too-slow"),
    (Overloaded, 503, "overloaded"),
    (TooManyRows, 413, "too-large"),
)
"""Each error's status and the name of its problem type; the first that fits."""
_TITLES = {"too-large": "Body too large", "compressed": "Body compressed", "too-slow": "Request too slow"}
"""Of those types whose name isn't their title."""


class Problem(msgspec.Struct, frozen=True):
    """A problem, ready to be sent.

    Attributes:
        status: HTTP status.
        kind: Last part of the problem type's name.
        title: The problem type in words.
        detail: What was wrong, what was expected, what to do.
        fields: The fields that are wrong.
        headers: Further response headers.
    """

    status: int
    kind: str
    title: str
    detail: str
    fields: tuple[FieldError, ...] = ()
    headers: dict[str, str] = {}

    def body(self, request_id: str) -> bytes:
        """The problem details as JSON."""
        return msgspec.json.encode(self.document(request_id))

    def document(self, request_id: str) -> dict[str, Any]:
        """The problem details."""
        document: dict[str, Any] = {
            "type": f"urn:perfcast:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "error": self.detail,  # where clients of the Open Inference Protocol look
            "request_id": request_id,
        }
        if self.status == 422 or self.fields:
            document["errors"] = [{"field": item.field, "message": item.message} for item in self.fields]
        return document


def problem_of(error: Exception, *, in_body: bool = False) -> Problem:
    """What to tell the caller; an unknown name is a 400 where it stood in the body, else a 404."""
    for kind_of_error, usual, kind in STATUSES:
        if isinstance(error, kind_of_error):
            status = 400 if in_body and isinstance(error, NotFound) else usual
            fields = error.fields if isinstance(error, InvalidInput) else ()
            seconds = SOON_SECONDS if isinstance(error, Overloaded) else RETRY_SECONDS
            headers = {"Retry-After": str(seconds)} if status == 503 else {}
            if status == 408:
                headers = {"Connection": "close"}
            title = _TITLES.get(kind, kind.replace("-", " ").capitalize())
            return Problem(status, kind, title, str(error), fields, headers)
    return Problem(500, "internal", "Internal error", "an unexpected error; the server's log has it by the request id")


def problem_of_status(status: int, detail: str, headers: dict[str, str] | None = None) -> Problem:
    """A problem that is known by its HTTP status alone, such as a wrong method."""
    phrase = HTTPStatus(status).phrase
    return Problem(status, phrase.lower().replace(" ", "-"), phrase, detail or phrase, (), headers or {})
