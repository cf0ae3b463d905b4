"""The OpenAPI document says what every route answers, and the routes answer so."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.testclient import TestClient
from tests.workers import small_dataset

from perfcast.api import Services, create_app
from perfcast.api._app import ROOMS
from perfcast.api.http._problems import STATUSES, problem_of
from perfcast.api.http._schemas import ProblemDetails, problems
from perfcast.api.training import _routes as training
from perfcast.api.training import _schedule_routes as schedules
from perfcast.datasets import Datasets
from perfcast.errors import InvalidDeclaration
from perfcast.jobs import Plan
from perfcast.jobs.queue import Progress
from perfcast.jobs.schedules import Scheduler
from perfcast.settings import load_settings

ROUTES = [
    route for room in ROOMS for route in room.router.routes if isinstance(route, APIRoute) and route.include_in_schema
]
JSON, PROBLEM, EVENTS = "application/json", "application/problem+json", "text/event-stream"
TABLES = ("application/vnd.apache.arrow.stream", "application/vnd.apache.parquet", "text/csv")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `/openapi.json` answers, asked for once."""
    settings = load_settings(data_dir=tmp_path_factory.mktemp("documented"))
    with TestClient(create_app(settings)) as client:
        return client.get("/openapi.json").json()  # type: ignore[no-any-return]


def answers(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each answer that the document shows: where, media type, and what is said of it."""
    for route in ROUTES:
        for method in route.methods:
            for status, response in document["paths"][route.path][method.lower()]["responses"].items():
                for media_type, content in response.get("content", {}).items():
                    yield f"{method} {route.path} {status}", media_type, content


def validated(model: type[BaseModel], answer: dict[str, Any]) -> None:
    """Hold an answer against its documented model: nothing is missing, mistyped or undocumented."""
    assert model.model_validate(answer, strict=True).model_dump(exclude_unset=True) == answer


def test_every_answer_has_a_schema_and_an_example(document: dict[str, Any]) -> None:
    found = list(answers(document))
    for place, media_type, content in found:
        if media_type in TABLES:
            assert content["schema"], place
            continue
        if media_type in ("text/plain", "text/markdown", "application/octet-stream", EVENTS):
            continue
        assert media_type in (JSON, PROBLEM), place
        assert content["example"], place
        assert content["schema"].get("$ref") or content["schema"].get("properties"), place
    assert len({place for place, *_ in found}) >= 25


def test_problems_are_documented_as_what_they_are_sent_as(document: dict[str, Any]) -> None:
    for place, media_type, _ in answers(document):
        failed = place[-3] in "45" and place not in ("GET /health 503", "GET /readyz 503", "GET /v2/health/ready 503")
        assert (media_type == PROBLEM) == failed, place


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.response_model], ids=lambda route: f"{route.path}-{route.name}"
)
def test_the_example_fits_the_schema(document: dict[str, Any], route: APIRoute) -> None:
    (method,) = route.methods
    responses = document["paths"][route.path][method.lower()]["responses"]
    for response in responses.values():
        for media_type, content in response.get("content", {}).items():
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
        ("GET", "/v2/models/cpu-utilization/config"),
        ("GET", "/v2/models/cpu-utilization/stats"),
        ("GET", "/v2/models/nowhere/stats"),
        ("GET", "/v2/models/stats"),
        ("POST", "/v2/repository/index"),
        ("POST", "/v2/models/cpu-utilization/infer"),
        ("GET", "/v1/models"),
        ("GET", "/v1/models/cpu-utilization"),
        ("GET", "/v1/models/nowhere"),
        ("GET", "/models"),
        ("GET", "/models/cpu-utilization"),
        ("GET", "/models/cpu-utilization:2/metrics"),
        ("POST", "/models/2/activate"),
        ("POST", "/models/cpu-utilization/deactivate"),
        ("GET", "/models/cpu-utilization/traffic"),
        ("GET", "/models/cpu-utilization/history"),
        ("PUT", "/models/cpu-utilization/aliases/challenger"),
        ("DELETE", "/models/cpu-utilization/aliases/shadow"),
        ("PUT", "/models/cpu-utilization/traffic"),
        ("GET", "/models/nowhere"),
        ("GET", "/benchmark/cpu-utilization"),
        ("GET", "/benchmark/nowhere"),
        ("GET", "/benchmark/cpu-utilization?iterations=10001"),
        ("POST", "/models/2/deactivate"),
    ],
)
def test_what_is_answered_is_what_is_documented(
    client: TestClient, document: dict[str, Any], method: str, path: str
) -> None:
    client.put("/models/cpu-utilization/aliases/shadow", json={"version": 2})
    body = {"version": 2} if "aliases" in path else {"champion": 100}
    response = client.request(method, path, json=body if method == "PUT" else None)
    named = path.partition("?")[0].replace("cpu-utilization:2", "{ref}").replace("/2/", "/{ref}/")
    named = re.sub("aliases/(.*)", "aliases/{alias}", re.sub("cpu-utilization/(.*tivate)", r"{ref}/\1", named))
    template = named.replace("cpu-utilization", "{name}").replace("nowhere", "{name}")
    template = template.replace("benchmark/{name}", "benchmark/{model}")
    (route,) = (item for item in ROUTES if item.path == template and method in item.methods)
    problem = response.headers["content-type"] == PROBLEM
    validated(ProblemDetails if problem else route.response_model, response.json())
    assert str(response.status_code) in document["paths"][template][method.lower()]["responses"]


@pytest.fixture
def job(client: TestClient, services: Services) -> str:
    """A job that runs, has finished a trial and begun the next, begun by a schedule that has fired."""
    assert client.get("/livez").status_code == 200
    Datasets(services.database, services.blobs).add(small_dataset(50))
    services.schedules.put("cpu-utilization", Plan(cron="0 3 * * *", drift=True))
    services.schedules.signal("cpu-utilization", "drift", "PSI 0.4")
    (fired,) = Scheduler(services.schedules, services.jobs).look()
    running = services.jobs.claim("worker")
    assert running is not None
    trials = (
        {"trial": 1, "family": "xgboost", "state": "complete", "score": 2.5, "seconds": 0.1},
        {"trial": 2, "family": "polynomial", "state": "running", "score": None, "seconds": None},
    )
    progress = Progress("searching", 0.4, 3, 2.5, "xgboost", 12.5, trials)
    services.jobs.beat(running.fence, spent_seconds=4.0, progress=progress)
    return fired.id


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("POST", "/train", "/train"),
        ("GET", "/train/jobs", "/train/jobs"),
        ("GET", "/train/status/{job_id}", "/train/status/JOB"),
        ("GET", "/jobs/{job_id}", "/jobs/JOB"),
        ("GET", "/jobs/{job_id}", "/jobs/nowhere"),
        ("POST", "/train/cancel/{job_id}", "/train/cancel/JOB"),
        ("GET", "/schedules", "/schedules"),
        ("GET", "/schedules/{model}", "/schedules/cpu-utilization"),
        ("PUT", "/schedules/{model}", "/schedules/cpu-utilization"),
        ("GET", "/schedules/{model}/history", "/schedules/cpu-utilization/history"),
        ("GET", "/schedules/{model}/history", "/schedules/nowhere/history"),
    ],
)
def test_what_is_answered_about_training_is_what_is_documented(
    client: TestClient, document: dict[str, Any], job: str, method: str, path: str, asked: str
) -> None:
    body = {"PUT": {"new_rows": 50, "request": {"timeout_seconds": 60}}, "POST": {}}.get(method)
    response = client.request(method, asked.replace("JOB", job), json=body)
    (route,) = (item for item in ROUTES if item.path == path and method in item.methods)
    problem = response.headers["content-type"] == PROBLEM
    assert problem == ("nowhere" in asked)
    validated(ProblemDetails if problem else route.response_model, response.json())
    documented = document["paths"][path][method.lower()]["responses"]
    assert str(response.status_code) in documented


def test_every_route_about_training_says_what_it_answers() -> None:
    silent = [route.path for route in (*training.router.routes, *schedules.router.routes) if not said(route)]
    assert silent == ["/jobs/{job_id}/events", "/schedules/{model}"]  # a stream of events, and DELETE


def said(route: object) -> bool:
    return isinstance(route, APIRoute) and route.response_model is not None


def test_the_device_is_not_promised_where_no_model_takes_it(client: TestClient, document: dict[str, Any]) -> None:
    body = document["paths"]["/predict"]["post"]["requestBody"]
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
