"""The HTTP API: the contract's routes, its problem details and its metrics.

A folder is a feature: its routes, their answers and examples, and its logic. Beneath them lies what HTTP needs
(`http/`); above them `Services`, the composition root, `create_app`, which makes the ASGI application (a bare callable
that answers `/predict`, rule R6, in front of FastAPI), and `serve`, which runs it under uvicorn (`server/`).
"""

from typing import TYPE_CHECKING, Any

from perfcast.api.server import listen, serve

if TYPE_CHECKING:
    from perfcast.api._app import create_app
    from perfcast.api._services import Services

__all__ = ["Services", "create_app", "listen", "serve"]


def __getattr__(name: str) -> Any:
    """What takes long to import, once it is asked for: a server loads its graphs meanwhile (`_process`)."""
    if name == "create_app":
        from perfcast.api._app import create_app

        return create_app
    if name == "Services":
        from perfcast.api._services import Services

        return Services
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
