"""JSON responses, and what routes are given."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Header, Request
from starlette.responses import JSONResponse, Response

from perfcast.api.http._bodies import may_be_packed, read_body
from perfcast.api.http._identifiers import key_of
from perfcast.api.http._lifetime import Lifetime
from perfcast.api.http._problems import CONTENT_TYPE, Problem
from perfcast.registry import Registry
from perfcast.serving import Follower, Key
from perfcast.settings import Settings
from perfcast.storage import Database

Kind = TypeVar("Kind")


class Json(JSONResponse):
    """A JSON response, encoded by msgspec; what isn't a finite number becomes null."""

    def render(self, content: Any) -> bytes:
        """Encode it."""
        return msgspec.json.encode(content)


def refusal(problem: Problem, request_id: str, headers: Mapping[str, str] = {}) -> Response:
    """A problem as a response, with further headers."""
    return Response(problem.body(request_id), problem.status, {**problem.headers, **headers}, CONTENT_TYPE)


def held(kind: type[Kind]) -> Any:
    """What a route's parameter is annotated with to receive the process's thing of a type."""

    async def given(request: Request) -> Kind:
        thing: Kind = request.app.state.held(kind)
        return thing

    return Depends(given)


def called(effect: str) -> Any:
    """What a route's parameter is annotated with to receive what the caller calls the request.

    Args:
        effect: What comes of the request when it is sent again under the same name.
    """
    told = f"What the caller calls this request; sent again under the same name, {effect}"
    return Header(alias="Idempotency-Key", max_length=255, description=told)


Alive = Annotated[Lifetime, held(Lifetime)]
Configured = Annotated[Settings, held(Settings)]
Following = Annotated[Follower, held(Follower)]
Stored = Annotated[Database, held(Database)]
Registered = Annotated[Registry, held(Registry)]


async def _body(request: Request, settings: Configured) -> bytes | bytearray:
    packed = may_be_packed(request.scope["path"])
    return await read_body(request.scope["headers"], request.receive, settings.max_body_bytes, packed=packed)


async def _key(request: Request) -> Key:
    return partial(key_of, request.scope)


Body = Annotated[bytes | bytearray, Depends(_body)]
"""The whole body, of `MAX_BODY_BYTES` at most."""
CallerKey = Annotated[Key, Depends(_key)]
"""Gives what the caller is known by."""
