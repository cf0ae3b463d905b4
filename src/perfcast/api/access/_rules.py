"""Which scope a route needs: one table. A test holds that no route of the application is missing from it."""

import re
from collections.abc import Mapping

from starlette.routing import compile_path

from perfcast.api.access._keys import ADMIN

OPEN = ""
"""The scope of routes that need no key and aren't limited."""
RULES: Mapping[str, str] = {
    "GET /": OPEN,
    "GET /livez": OPEN,
    "GET /readyz": OPEN,
    "GET /health": OPEN,
    "GET /metrics": OPEN,
    "GET /docs": OPEN,
    "GET /docs/files/{name}": OPEN,
    "GET /redoc": OPEN,
    "GET /openapi.json": OPEN,
    "GET /ping": OPEN,
    "GET /v2/health/live": OPEN,
    "GET /v2/health/ready": OPEN,
    "POST /predict": "predict",
    "GET /predict": "predict",
    "POST /predict/batch": "predict",
    "GET /v1/models": "read",
    "GET /v1/models/{name}": "read",
    "POST /v1/models/{name}:predict": "predict",
    "POST /invocations": "predict",
    "GET /benchmark/{model}": "predict",
    "GET /models": "read",
    "GET /models/{name}": "read",
    "GET /models/{ref}/metrics": "read",
    "POST /models/{ref}/activate": ADMIN,
    "POST /models/{ref}/deactivate": ADMIN,
    "PUT /models/{name}/aliases/{alias}": ADMIN,
    "DELETE /models/{name}/aliases/{alias}": ADMIN,
    "GET /models/{name}/traffic": "read",
    "PUT /models/{name}/traffic": ADMIN,
    "GET /models/{name}/history": "read",
    "POST /models/{name}/versions": ADMIN,
    "DELETE /models/{name}/versions/{version}": ADMIN,
    "POST /train": "train",
    "POST /train/cancel/{job_id}": "train",
    "GET /train/status/{job_id}": "read train",
    "GET /train/jobs": "read train",
    "GET /jobs/{job_id}": "read train",
    "GET /jobs/{job_id}/events": "read train",
    "GET /schedules": "read train",
    "GET /schedules/{model}": "read train",
    "GET /schedules/{model}/history": "read train",
    "PUT /schedules/{model}": "train",
    "DELETE /schedules/{model}": "train",
    "GET /v2": "read",
    "GET /v2/models/{name}": "read",
    "GET /v2/models/{name}/versions/{version}": "read",
    "GET /v2/models/stats": "read",
    "GET /v2/models/{name}/config": "read",
    "GET /v2/models/{name}/versions/{version}/config": "read",
    "GET /v2/models/{name}/stats": "read",
    "GET /v2/models/{name}/versions/{version}/stats": "read",
    "POST /v2/repository/index": "read",
    "GET /v2/models/{name}/ready": "read",
    "GET /v2/models/{name}/versions/{version}/ready": "read",
    "POST /v2/models/{name}/infer": "predict",
    "POST /v2/models/{name}/versions/{version}/infer": "predict",
}
"""Method and route template → scope; of two scopes, either will do."""
_UNLISTED = frozenset({ADMIN})


class Rules:
    """Finds what a request needs.

    Paths are matched by the same compiled templates as Starlette's routes, on the same decoded text, so that no other
    spelling of a path (percent signs, a slash or a line end too many) reaches a route by a weaker rule. What no
    template matches needs `admin`.
    """

    def __init__(self, table: Mapping[str, str] = RULES) -> None:
        self._exact: dict[tuple[str, str], frozenset[str]] = {}
        self._patterns: dict[str, list[tuple[re.Pattern[str], frozenset[str]]]] = {}
        for route, scopes in table.items():
            method, _, path = route.partition(" ")
            needed = frozenset(scopes.split())
            if "{" not in path:
                self._exact[method, path] = needed
            self._patterns.setdefault(method, []).append((compile_path(path)[0], needed))

    def needed(self, method: str, path: str) -> frozenset[str]:
        """The scopes of which a key must have one; none for an open route. The path is decoded, as ASGI has it."""
        method = "GET" if method == "HEAD" else method
        if (needed := self._exact.get((method, path))) is not None:
            return needed
        found = [scopes for pattern, scopes in self._patterns.get(method, ()) if pattern.match(path)]
        if not found:
            return _UNLISTED
        if len(found) == 1 or not any(found):
            return found[0]
        return frozenset.intersection(*found) or _UNLISTED  # where two rules fit, a key must satisfy both


def scopes_of(method: str, template: str) -> frozenset[str] | None:
    """What the table says of a route; None where it isn't listed."""
    scopes = RULES.get(f"{method} {template}")
    return None if scopes is None else frozenset(scopes.split())
