"""The HTTP API: the contract's routes, its problem details and its metrics.

`create_app` makes the ASGI application: a bare callable that answers `/predict` (rule R6), in front of FastAPI, which
answers everything else (`routers/`). `Services` is the composition root of the process, `serve` runs it under uvicorn.
"""

from perfcast.api._app import create_app
from perfcast.api._server import listen, serve
from perfcast.api._services import Services

__all__ = ["Services", "create_app", "listen", "serve"]
