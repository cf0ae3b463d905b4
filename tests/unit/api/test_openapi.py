"""The OpenAPI document says what every route answers, and the routes answer so."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.testclient import TestClient

from perfcast.api._problems import STATUSES, problem_of
from perfcast.api.routers import health, inference_protocol, metrics, models, predict
from perfcast.api.routers._schemas import ProblemDetails, problems
from perfcast.errors import InvalidDeclaration

ROUTES = [
    route
    for router in (predict.router, inference_protocol.router, models.router, health.router, metrics.router)
    for route in router.routes
    if isinstance(route, APIRoute)
]
JSON, PROBLEM = "application/json", "application/problem+json"


def answers(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each answer that the document shows: where, media type, and what is said of it."""
    for route in ROUTES:
        for method in route.methods:
            for status, response in document["paths"][route.path][method.lower()]["responses"].items():
                for media_type, content in response["content"].items():
                    yield f"{method} {route.path} {status}", media_type, content


def validated(model: type[BaseModel], answer: dict[str, Any]) -> None:
    """Hold an answer against its documented model: nothing is missing, mistyped or undocumented."""
    assert model.model_validate(answer, strict=True).model_dump(exclude_unset=True) == answer


def test_every_answer_has_a_schema_and_an_example(client: TestClient) -> None:
    found = list(answers(client.get("/openapi.json").json()))
    for place, media_type, content in found:
        if media_type in ("text/plain", "application/octet-stream"):
            continue
        assert media_type in (JSON, PROBLEM), place
        assert content["example"], place
        assert content["schema"].get("$ref") or content["schema"].get("properties"), place
    assert len({place for place, *_ in found}) >= 25


def test_problems_are_documented_as_what_they_are_sent_as(client: TestClient) -> None:
    for place, media_type, _ in answers(client.get("/openapi.json").json()):
        failed = place[-3] in "45" and place not in ("GET /health 503", "GET /readyz 503", "GET /v2/health/ready 503")
        assert (media_type == PROBLEM) == failed, place


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.response_model], ids=lambda route: f"{route.path}-{route.name}"
)
def test_the_example_fits_the_schema(client: TestClient, route: APIRoute) -> None:
    (method,) = route.methods
    responses = client.get("/openapi.json").json()["paths"][route.path][method.lower()]["responses"]
    for response in responses.values():
        for media_type, content in response["content"].items():
            validated(ProblemDetails if media_type == PROBLEM else route.response_model, content["example"])


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422, 503])
def test_each_problem_has_an_example_of_a_kind_that_is_sent_with_its_status(status: int) -> None:
    example = problems(status)[status]["content"][PROBLEM]["example"]
    validated(ProblemDetails, example)
    kinds = {kind: 400 if status == 400 and usual == 404 else usual for _, usual, kind in STATUSES}
    assert kinds[example["type"].rpartition(":")[2]] == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/health"),
        ("GET", "/v2"),
        ("GET", "/v2/health/live"),
        ("GET", "/v2/health/ready"),
        ("GET", "/v2/models/cpu-utilization"),
        ("GET", "/v2/models/cpu-utilization/ready"),
        ("GET", "/v2/models/nowhere"),
        ("POST", "/v2/models/cpu-utilization/infer"),
        ("GET", "/models"),
        ("GET", "/models/cpu-utilization"),
        ("GET", "/models/cpu-utilization:2/metrics"),
        ("POST", "/models/2/activate"),
        ("POST", "/models/cpu-utilization/deactivate"),
        ("GET", "/models/nowhere"),
        ("POST", "/models/2/deactivate"),
    ],
)
def test_what_is_answered_is_what_is_documented(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, path)
    named = (
        path.replace("cpu-utilization:2", "{ref}")
        .replace("cpu-utilization/deactivate", "{ref}/deactivate")
        .replace("/2/", "/{ref}/")
    )
    template = named.replace("cpu-utilization", "{name}").replace("nowhere", "{name}")
    (route,) = (item for item in ROUTES if item.path == template and method in item.methods)
    problem = response.headers["content-type"] == PROBLEM
    validated(ProblemDetails if problem else route.response_model, response.json())
    assert (
        str(response.status_code) in client.get("/openapi.json").json()["paths"][template][method.lower()]["responses"]
    )


def test_the_device_is_not_promised_where_no_model_takes_it(client: TestClient) -> None:
    body = client.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]
    description = body["content"][JSON]["schema"]["properties"]["device"]["description"]
    assert "built-in workloads know one device each and refuse it" in description
    load = body["content"][JSON]["examples"]["load"]["value"]
    assert client.post("/predict", json=load | {"device": "gpu"}).status_code == 422


def test_a_declaration_that_can_not_be_used_is_the_callers_to_mend() -> None:
    problem = problem_of(InvalidDeclaration("workload 'x' declares no cost"))
    assert (problem.status, problem.title, problem.detail) == (
        422,
        "Invalid declaration",
        "workload 'x' declares no cost",
    )
