"""JSON responses, and what routes are given."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from fastapi import Depends, Request
from starlette.responses import JSONResponse

Kind = TypeVar("Kind")


class Json(JSONResponse):
    """A JSON response, encoded by msgspec; what isn't a finite number becomes null."""

    def render(self, content: Any) -> bytes:
        """Encode it."""
        return msgspec.json.encode(content)


def held(kind: type[Kind]) -> Any:
    """What a route's parameter is annotated with to receive the process's thing of a type."""

    async def given(request: Request) -> Kind:
        make: Callable[[], Kind] = request.app.state.held[kind]
        return make()

    return Depends(given)
