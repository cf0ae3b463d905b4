"""FastAPI, its lifespan and its problem details, behind the bare callable."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from perfcast import __version__
from perfcast.api._front import BATCH, FEEDBACK, Front
from perfcast.api._services import Services
from perfcast.api.access._description import describe
from perfcast.api.adapters import _kserve_routes as kserve
from perfcast.api.adapters import _mlflow_routes as mlflow
from perfcast.api.batch import _routes as batch
from perfcast.api.capacity import _routes as capacity
from perfcast.api.datasets import _routes as datasets
from perfcast.api.documentation import _routes as documentation
from perfcast.api.drift import _routes as drift
from perfcast.api.explain import _routes as explain
from perfcast.api.feedback import _routes as feedback
from perfcast.api.health import _routes as health
from perfcast.api.http._identifiers import REQUEST_ID
from perfcast.api.http._null_characters import refuse_null_characters
from perfcast.api.http._problems import Overloaded, Problem, TooLarge, TooManyRows, problem_of, problem_of_status
from perfcast.api.http._reply import refusal
from perfcast.api.inference_protocol import _routes as inference_protocol
from perfcast.api.metrics import METHODS, Tally
from perfcast.api.metrics import _routes as metrics
from perfcast.api.models import _alias_routes as aliases
from perfcast.api.models import _benchmark_routes as benchmark
from perfcast.api.models import _judged_routes as judged
from perfcast.api.models import _routes as models
from perfcast.api.models import _version_routes as versions
from perfcast.api.networks import _routes as networks
from perfcast.api.predict import _routes as predict
from perfcast.api.training import _routes as training
from perfcast.api.training import _schedule_routes as schedules
from perfcast.api.workloads import _routes as workloads
from perfcast.errors import FieldError, InvalidInput, PerfcastError
from perfcast.settings import Settings
from perfcast.telemetry import RequestTraces

_DESCRIPTION = """\
Predicts what a workload will cost before it runs: the CPU utilisation of a service under load, the execution time of
convolutions and of whole networks. Errors are RFC 9457 problem details."""

ROOMS = (
    *(predict, batch, explain, capacity, networks, feedback, benchmark, inference_protocol, kserve, mlflow),
    *(models, aliases, versions, training),
    *(drift, judged, schedules, workloads, datasets, health, metrics, documentation),
)
"""The modules of routes, in the order in which the OpenAPI document has them."""
_MODEL_IN_BODY = (BATCH, FEEDBACK, "/explain", "/headroom", "/runway", "/networks/predict", "/invocations")
"""Routes whose bodies name models."""
_SHOWN = 200
"""Letters of a caller's path that an answer repeats."""


def create_app(settings: Settings, *, services: Services | None = None, traces: RequestTraces | None = None) -> Front:
    """Make the ASGI application.

    Args:
        settings: What is configured.
        services: Made from the settings when None; opened and closed with the application.
        traces: Traces requests; None where nobody does.

    Returns:
        An ASGI callable; nothing is opened before its lifespan begins.
    """
    held = services or Services(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            await run_in_threadpool(held.open)
            yield
        finally:
            if held.gate is not None:
                await held.gate.close()
            await run_in_threadpool(held.close)

    app = FastAPI(
        title="Perfcast",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # `documentation` has the pages, with their scripts
        redoc_url=None,
    )
    app.state.held = held.held
    for room in ROOMS:
        checks = [] if room is inference_protocol else [Depends(refuse_null_characters)]
        app.include_router(room.router, dependencies=checks)
    for kind in (PerfcastError, TooLarge, TooManyRows, Overloaded, Exception):  # the last is logged by `Front`
        app.add_exception_handler(kind, _explained)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _of_http)
    describe(app, keyed=held.gate is not None and held.gate.keyed)
    return Front(app, held, traces)


async def _explained(request: Request, error: Exception) -> Response:
    if isinstance(error, Overloaded):
        request.app.state.held(Tally).refuse("overload")
    return _response(request, problem_of(error, in_body=request.scope["path"] in _MODEL_IN_BODY))


async def _invalid(request: Request, error: Any) -> Response:
    fields = [FieldError(str(item["loc"][-1]), item["msg"]) for item in error.errors()]
    return _response(request, problem_of(InvalidInput(fields)))


async def _of_http(request: Request, error: Any) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 400 and isinstance(error.__cause__, ValueError):  # FastAPI could not parse a body
        fields = [FieldError("body", f"is not JSON text: {error.__cause__}")]
        return _response(request, problem_of(InvalidInput(fields)))
    path = request.url.path[:_SHOWN]
    if error.status_code == 404:
        detail = f"nothing is at {path}; /docs lists what there is"
    elif error.status_code == 405:
        headers = {"Allow": _allowed(request)}
        detail = f"{request.method} is not allowed at {path}; allowed: {headers['Allow']}"
    else:
        detail = str(error.detail)
    return _response(request, problem_of_status(error.status_code, detail, headers))


def _allowed(request: Request) -> str:
    """Every method that the path takes; the route that refused knows only its own."""

    def takes(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)

    return ", ".join(sorted(filter(takes, METHODS)))


def _response(request: Request, problem: Problem) -> Response:
    return refusal(problem, request.scope.get(REQUEST_ID, ""))
