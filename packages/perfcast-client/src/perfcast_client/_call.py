"""A call as plain data: what to send, and how to read what comes. Making one does no I/O."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from math import isfinite
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

T = TypeVar("T")
JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"


class Repeat(Enum):
    """Whether a call whose answer didn't come may be sent again."""

    FREELY = "it reads, or leaves behind the same however often it is sent"
    KEYED = "under an `Idempotency-Key`, by which the server knows it again; one is made where none is given"
    UNSENT = "only where it surely wasn't carried out: no connection, or 429"


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        path: Below the server's address, quoted.
        read: Makes the result of the answer's body.
        query: What is None is left out.
        files: Parts of a multipart body: name to file name, bytes and media type.
        repeat: Whether it may be sent again.
        answers: Statuses beside 2xx that are answers, no refusals.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    query: Mapping[str, str | float | None] = field(default_factory=dict)
    body: bytes | None = None
    body_type: str = JSON
    files: Mapping[str, tuple[str, bytes, str]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeat: Repeat = Repeat.FREELY
    answers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Calls(Generic[T]):
    """Several calls that come to one result; each is made of what came before.

    Attributes:
        steps: Begins them: yields each call, is sent its result, returns what they come to.
    """

    steps: Callable[[], Generator[Call[Any], Any, T]]


def json(value: Any) -> bytes:
    """JSON, also of NumPy's numbers and arrays, and of times."""
    return msgspec.json.encode(value, enc_hook=_plain)


def given(**values: Any) -> dict[str, Any]:
    """Those that aren't None."""
    return {name: value for name, value in values.items() if value is not None}


def finite(features: Mapping[str, Any]) -> Mapping[str, Any]:
    """The features, none of which is an infinity or NaN.

    Raises:
        ValueError: One is; names it.
    """
    for name, value in features.items():
        if isinstance(value, float) and not isfinite(value):  # JSON has none of these: null would be sent
            raise ValueError(f"{name}: must be a finite number, got {value!r}")
    return features


def part(name: str) -> str:
    """A name as a part of a path."""
    return quote(name, safe=":@")


@cache
def reading(kind: type[T]) -> Callable[[bytes], T]:
    """Reads JSON of this type."""
    return msgspec.json.Decoder(kind).decode


def _plain(value: Any) -> Any:
    for plain in ("tolist", "isoformat"):  # NumPy's, and pandas' times
        if hasattr(value, plain):
            return getattr(value, plain)()
    raise TypeError(f"a {type(value).__name__} can't be sent as JSON: {value!r}")
