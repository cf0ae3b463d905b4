"""The table of rules, held against the application's own routes."""

from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import compile_path

from perfcast.api import create_app
from perfcast.api.access import RULES, scopes_of
from perfcast.api.access._keys import ALL
from perfcast.api.access._rules import Rules
from perfcast.settings import Settings


@pytest.fixture
def routes(settings: Settings) -> list[tuple[str, str]]:
    """Method and template of every route there is, whatever kind of route it is."""

    def every() -> Iterator[tuple[str, str]]:
        for route in iter_route_contexts(create_app(settings)._app.routes):  # type: ignore[attr-defined]
            for method in getattr(route, "methods", None) or {"ANY"}:
                yield method, str(route.path)

    return sorted(set(every()) - {("HEAD", path) for path in ("/docs", "/redoc", "/openapi.json")})


def test_every_route_is_listed_in_the_table(routes: list[tuple[str, str]]) -> None:
    assert len(routes) > 20
    assert [route for route in routes if scopes_of(*route) is None] == []


def test_the_open_routes_are_those_of_the_contract() -> None:
    opened = {route.partition(" ")[2] for route, scope in RULES.items() if not scope}
    assert opened == {
        *("/", "/livez", "/readyz", "/health", "/metrics", "/docs", "/docs/files/{name}", "/redoc", "/openapi.json"),
        *("/ping", "/v2/health/live", "/v2/health/ready"),
    }
    assert all(route.startswith("GET ") for route, scope in RULES.items() if not scope)
    assert {scope for scopes in RULES.values() for scope in scopes.split()} == ALL


def test_each_route_needs_what_the_table_says(routes: list[tuple[str, str]]) -> None:
    rules = Rules()
    for method, template in routes:
        path = compile_path(template)[1].replace("{", "").replace("}", "")
        assert rules.needed(method, path) == scopes_of(method, template)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/new"),
        ("DELETE", "/models/cpu"),
        ("DELETE", "/predict"),
        ("PATCH", "/models"),
        ("OPTIONS", "/health"),
        ("POST", "/health"),
        ("TRACE", "/"),
        ("get", "/health"),
        ("GET", "//health"),
        ("GET", "/health/"),
        ("GET", "/health/.."),
        ("GET", "/Health"),
        ("GET", ""),
        ("GET", "/v2/health/"),
        ("GET", "/v2/health/live/x"),
        ("GET", "/docs/oauth2-redirect"),
        ("GET", "/health;x"),
        ("GET", "/health\x00"),
        ("GET", "/health%0A"),
    ],
)
def test_what_is_not_listed_needs_admin(method: str, path: str) -> None:
    assert Rules().needed(method, path) == {"admin"}


def test_a_line_end_that_the_routes_take_is_taken_by_the_same_rule() -> None:
    rules = Rules()
    assert rules.needed("GET", "/health\n") == frozenset()
    assert rules.needed("POST", "/predict\n") == {"predict"}
    assert rules.needed("POST", "/models/m/activate\n") == {"admin"}


def test_where_two_rules_fit_a_key_must_satisfy_both() -> None:
    rules = Rules({"GET /a/{x}": "read train", "GET /{y}/b": "read", "GET /{z}/c": "predict", "GET /c/{x}": "admin"})
    assert rules.needed("GET", "/a/b") == {"read"}
    assert rules.needed("GET", "/a/c") == {"admin"}
    assert rules.needed("GET", "/c/c") == {"admin"}


def test_a_head_needs_what_a_get_does() -> None:
    assert Rules().needed("HEAD", "/models") == {"read"}
    assert Rules().needed("HEAD", "/docs") == frozenset()
