"""Perfcast's client: predictions, models and training over HTTP, typed, in two clients of one shape.

    >>> from perfcast_client import Client
    >>> with Client("http://localhost:8000") as client:
    ...     client.predict({"request_rate": 120, "active_users": 60, "db_connections": 25, ...}).cost

`AsyncClient` has the same methods, awaited. `answers` holds the types of results, `calls` the functions that make
requests without sending them.
"""

from perfcast_client import answers, calls
from perfcast_client._async_client import AsyncClient
from perfcast_client._async_jobs import AsyncJob
from perfcast_client._choice import Option, best_of, options_of
from perfcast_client._client import Client
from perfcast_client._errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    NotReady,
    PerfcastClientError,
    ServerError,
    TimedOut,
    TooLarge,
    TooManyRequests,
    UnreadableAnswer,
)
from perfcast_client._jobs import Job
from perfcast_client._sending import Raw
from perfcast_client._version import __version__

__all__ = [
    "ApiError",
    "AsyncClient",
    "AsyncJob",
    "Client",
    "Conflict",
    "ConnectionFailed",
    "InvalidRequest",
    "Job",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "NotReady",
    "Option",
    "PerfcastClientError",
    "Raw",
    "ServerError",
    "TimedOut",
    "TooLarge",
    "TooManyRequests",
    "UnreadableAnswer",
    "__version__",
    "answers",
    "best_of",
    "calls",
    "options_of",
]
