"""Keys and limits in the OpenAPI document."""

from typing import Any

from fastapi import FastAPI

from perfcast.api.access import HEADER, scopes_of
from perfcast.api.http._schemas import problems

_SCHEME = "ApiKey"
_METHODS = frozenset({"get", "put", "post", "delete", "patch"})


def describe(app: FastAPI, *, keyed: bool) -> None:
    """Add the security scheme, and what a guarded route answers when it refuses; unless `keyed`, a key is optional."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain(), keyed=keyed)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any], *, keyed: bool) -> None:
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes[_SCHEME] = {
        "type": "apiKey",
        "in": "header",
        "name": HEADER,
        "description": "Asked for where the server has keys. Scopes: read, predict, train; admin includes them.",
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scopes = scopes_of(method.upper(), path) if method in _METHODS else frozenset()
            if scopes == frozenset():
                continue
            named = " or ".join(sorted(scopes or {"admin"}))
            needs = f"Scope: `{named}`."
            operation["description"] = f"{operation.get('description', '')}\n\n{needs}".strip()
            operation["security"] = [{_SCHEME: []}] if keyed else [{}, {_SCHEME: []}]
            refusals = (401, 403, 415, 429) if "requestBody" in operation else (401, 403, 429)
            for status, response in problems(*refusals).items():
                operation["responses"].setdefault(str(status), response)
