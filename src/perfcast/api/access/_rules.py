"""Which scope a route needs: one table. A test holds that no route of the application is missing from it."""

import re
from collections.abc import Mapping

from starlette.routing import compile_path

from perfcast.api.access._keys import ADMIN

OPEN = ""
"""The scope of routes that need no key and aren't limited."""
_PATHS = {
    ("GET", OPEN): """/ /livez /readyz /health /metrics /ping /v2/health/live /v2/health/ready
        /docs /docs/files/{name} /redoc /openapi.json""",
    ("GET", "predict"): "/predict /networks /benchmark/{model} /autoscale/{model}",
    ("POST", "predict"): """/predict /predict/batch /explain /headroom /runway /networks/predict /feedback /invocations
        /v1/models/{name}:predict
        /v2/models/{name}/infer /v2/models/{name}/versions/{version}/infer""",
    ("GET", "read"): """/models /models/{name} /models/{ref}/metrics /models/{ref}/card /models/{ref}/drift
        /models/{ref}/judged /workloads /workloads/{name} /datasets /datasets/{ref} /datasets/{ref}/rows
        /models/{name}/traffic /models/{name}/history
        /v1/models /v1/models/{name} /v2 /v2/models/stats
        /v2/models/{name} /v2/models/{name}/config /v2/models/{name}/stats /v2/models/{name}/ready
        /v2/models/{name}/versions/{version} /v2/models/{name}/versions/{version}/config
        /v2/models/{name}/versions/{version}/stats /v2/models/{name}/versions/{version}/ready""",
    ("POST", "read"): "/v2/repository/index",
    ("GET", "read train"): """/train/status/{job_id} /train/jobs /jobs/{job_id} /jobs/{job_id}/events
        /schedules /schedules/{model} /schedules/{model}/history""",
    ("POST", "train"): "/train /train/cancel/{job_id}",
    ("PUT", "train"): "/schedules/{model}",
    ("DELETE", "train"): "/schedules/{model}",
    ("POST", ADMIN): "/models/{ref}/activate /models/{ref}/deactivate /models/{name}/versions",
    ("PUT", ADMIN): "/models/{name}/aliases/{alias} /models/{name}/traffic",
    ("DELETE", ADMIN): "/models/{name}/aliases/{alias} /models/{name}/versions/{version}",
}
"""Route templates by method and scope."""
RULES: Mapping[str, str] = {
    f"{method} {path}": scope for (method, scope), paths in _PATHS.items() for path in paths.split()
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
