"""The Open Inference Protocol, version 2: what KServe, Triton and MLServer clients ask for."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from perfcast import __version__
from perfcast.api.http._identifiers import REQUEST_ID, Identifiers
from perfcast.api.http._problems import problem_of
from perfcast.api.http._reply import Alive, Body, CallerKey, Following, Json, Registered, held, refusal
from perfcast.api.http._schemas import problems, said
from perfcast.api.inference_protocol import InferenceProtocol
from perfcast.api.inference_protocol import _answers as answers
from perfcast.api.inference_protocol._codec import read_index_request
from perfcast.api.inference_protocol._description import configuration, metadata, repository_index, statistics
from perfcast.api.metrics import Exposition
from perfcast.errors import InvalidInput

JSON_LENGTH = "Inference-Header-Content-Length"
"""The header that says how many bytes of a body are JSON; the tensors that travel as bytes come behind."""
Protocol = Annotated[InferenceProtocol, held(InferenceProtocol)]
Counted = Annotated[Exposition, held(Exposition)]
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_Asked = TypeVar("_Asked", bound=Callable[..., Any])


class _ProtocolRoute(APIRoute):
    """A route that answers bad input with 400, as the protocol has it."""

    def get_route_handler(self) -> _Handler:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await handle(request)
            except InvalidInput as error:
                problem = msgspec.structs.replace(problem_of(error), status=400)
                return refusal(problem, request.scope.get(REQUEST_ID, ""))

        return answered


router = APIRouter(prefix="/v2", tags=["open inference protocol"], route_class=_ProtocolRoute)
_METADATA = {"summary": "A model's tensors"} | said(answers.ModelMetadata, "Its inputs and outputs", 404, 503)
_READINESS = {"summary": "Whether a model is ready"} | said(answers.ModelReadiness, "It answers", 404, 503)
_CONFIGURATION = {"summary": "A model's configuration"} | said(
    answers.ModelConfiguration, "As Triton's clients read it", 404, 503
)
_STATISTICS = {"summary": "What was counted"} | said(answers.ModelStatistics, "Of each version", 404, 503)
_INFERENCE: dict[str, Any] = {
    "summary": "Predict",
    "response_class": Response,
    "responses": {200: answers.INFERRED, **problems(400, 404, 413, 503)},
}
_PATHS = {"/models/{name}/versions/{version}": [answers.NAME, answers.VERSION], "/models/{name}": [answers.NAME]}


def _both(
    method: str, end: str, about: dict[str, Any], *headers: dict[str, Any], **further: Any
) -> Callable[[_Asked], _Asked]:
    """A route about one version of a model, and the same about its champion."""

    def add(handler: _Asked) -> _Asked:
        for path, named in _PATHS.items():
            extra = {"parameters": [*named, *headers], **further}
            router.add_api_route(path + end, handler, methods=[method], openapi_extra=extra, **about)
        return handler

    return add


@router.get("", summary="The server", **said(answers.ServerMetadata, "The server and its extensions of the protocol"))
async def server() -> Json:
    """Name, version and extensions."""
    return Json({"name": "perfcast", "version": __version__, "extensions": ["binary_tensor_data"]})


@router.get("/health/live", summary="Whether the server lives", **said(answers.ServerLiveness, "It lives"))
async def live() -> Json:
    """Always true."""
    return Json({"live": True})


@router.get(
    "/health/ready",
    summary="Whether the server is ready",
    **said(answers.ServerReadiness, "Some model answers", unwell=({"ready": False}, "None does")),
)
async def ready(lifetime: Alive) -> Json:
    """Whether some model answers, and the process isn't about to end."""
    return Json({"ready": lifetime.ready}, status_code=200 if lifetime.ready else 503)


@router.post(
    "/repository/index",
    summary="All versions",
    openapi_extra={"requestBody": answers.INDEX_BODY},
    **said(answers.RepositoryIndex, "Every version, and whether it can answer", 400, 413, 503),
)
async def index(body: Body, registry: Registered, follower: Following) -> Json:
    """Every version of every model; with `{"ready": true}` only those that can answer."""
    ready = read_index_request(body)
    return Json(repository_index(await run_in_threadpool(registry.models), follower, ready=ready))


@router.get("/models/stats", **_STATISTICS)
async def all_statistics(follower: Following, exposition: Counted) -> Json:
    """What was counted of every version that answered, and of each champion, since the server began."""
    return Json(statistics(exposition.counted, follower.routes.champions))


@_both("GET", "", _METADATA)
async def model(request: Request, protocol: Protocol, registry: Registered) -> Json:
    """The inputs and outputs of a version: the one named, or the model's champion.

    There are two ways to give inputs, and a request takes one of them: the one input of style `matrix`, or those of
    style `columns`, of which only the required ones must be there.
    """
    predictor = await protocol.find(*_named(request))
    summary = await run_in_threadpool(registry.model, predictor.model)
    return Json(metadata(predictor, summary.versions))


@_both("GET", "/ready", _READINESS)
async def model_ready(request: Request, protocol: Protocol) -> Json:
    """Whether a version can answer, the one named or the model's champion; it is loaded if it wasn't."""
    predictor = await protocol.find(*_named(request))
    return Json({"name": predictor.model, "ready": True})


@_both("GET", "/config", _CONFIGURATION)
async def model_configuration(request: Request, protocol: Protocol) -> Json:
    """The tensors of a version as Triton's configuration has them: the one named, or the model's champion.

    `max_batch_size` is 0, so the dimensions include the rows (−1). Inputs of style `columns` are optional, since
    `features` may stand for them all.
    """
    return Json(configuration(await protocol.find(*_named(request))))


@_both("GET", "/stats", _STATISTICS)
async def model_statistics(request: Request, protocol: Protocol, follower: Following, exposition: Counted) -> Json:
    """What was counted of the version named, or of all versions of the model that answered, since the server began.

    `inference_count` is rows, `execution_count` requests of every kind, and `success` has the time these took. Failures
    are counted by model and stand at its champion. Parts of the time aren't told apart: their counts are 0.
    """
    name, version = _named(request)
    slot = (await protocol.arm(name, version)).slot
    alone = version is not None or "@" in name
    return Json(statistics(exposition.counted, follower.routes.champions, slot, alone=alone))


@_both("POST", "/infer", _INFERENCE, answers.LENGTH, requestBody=answers.INFER_BODY)
async def infer(
    request: Request,
    body: Body,
    key: CallerKey,
    protocol: Protocol,
    identifiers: Annotated[Identifiers, held(Identifiers)],
) -> Response:
    """The cost of each row, its interval where the version is calibrated, and whether it was extrapolated.

    Up to 100 rows are recorded: the record of a single row is called as the response's parameter `prediction_id`,
    that of row 2 of several `prediction_id-2`, counted from 0. The body may be compressed (`Content-Encoding: gzip` or
    `deflate`); unpacked it may have `MAX_BODY_BYTES`.
    """
    parts, length = await protocol.infer(*_named(request), body, _json_length(request), identifiers.next(), key)
    if length is None:
        return Response(parts[0], media_type="application/json")
    headers = {JSON_LENGTH: str(length)}
    return Response(b"".join(parts), media_type="application/octet-stream", headers=headers)


def _named(request: Request) -> tuple[str, str | None]:
    """The model and version in the path; read here, so that FastAPI promises no 422, which the protocol hasn't."""
    return request.path_params["name"], request.path_params.get("version")


def _json_length(request: Request) -> int | None:
    if (text := request.headers.get(JSON_LENGTH)) is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InvalidInput.of(JSON_LENGTH, "must be the number of bytes of the body's JSON")
    return int(text)
