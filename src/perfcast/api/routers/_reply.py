"""JSON responses, and the services that routes are given."""

from typing import Annotated, Any

import msgspec
from fastapi import Depends, Request
from starlette.responses import JSONResponse

from perfcast.api._services import Services


class Json(JSONResponse):
    """A JSON response, encoded by msgspec; what isn't a finite number becomes null."""

    def render(self, content: Any) -> bytes:
        """Encode it."""
        return msgspec.json.encode(content)


def services_of(request: Request) -> Services:
    """The process's services."""
    services: Services = request.app.state.services
    return services


Held = Annotated[Services, Depends(services_of)]
"""A route's parameter that receives the services."""
