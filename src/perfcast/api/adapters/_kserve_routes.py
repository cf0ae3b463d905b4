"""KServe's protocol, version 1: `instances` in, `predictions` out."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.routing import Match
from starlette.types import Scope

from perfcast.api.adapters import Asked, answered, parsed
from perfcast.api.adapters import _answers as answers
from perfcast.api.batch import Batches
from perfcast.api.http._reply import Body, CallerKey, Following, Json, held
from perfcast.api.http._schemas import said

_VERB = ":predict"


class _Route(APIRoute):
    """A route that doesn't take the verb at a path's end for a part of the model's name."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As usual, but for the verb."""
        if scope["path"].endswith(_VERB) and not self.path.endswith(_VERB):
            return Match.NONE, {}
        return super().matches(scope)


router = APIRouter(prefix="/v1/models", tags=["kserve version 1"], route_class=_Route)


class _Instances(msgspec.Struct, forbid_unknown_fields=True):
    instances: list[Any]
    coverage: Any = None


@router.get("", summary="The models that answer", **said(answers.ModelNames, "Their names", 503))
async def list_models(follower: Following) -> Json:
    """The names of the models that have a champion."""
    return Json({"models": sorted(follower.routes.champions)})


@router.get("/{name}", summary="Whether a model is ready", **said(answers.ModelState, "It answers", 404, 422, 503))
async def model_ready(name: str, follower: Following) -> Json:
    """Whether a model can answer (`NAME`, `NAME:VERSION` or `NAME@ALIAS`); it is loaded if it wasn't."""
    await follower.fetched(name)
    return Json({"name": name, "ready": True})


@router.post(
    "/{name}" + _VERB,
    summary="Predict the costs of rows",
    openapi_extra={"requestBody": answers.INSTANCES},
    **said(answers.Predictions, "One value a row", 404, 413, 422, 503),
)
async def predict(
    name: str, body: Body, key: CallerKey, follower: Following, batches: Annotated[Batches, held(Batches)]
) -> Json:
    """The cost of each instance: an object of features as in `/predict`, or a list of all of them in declared order.

    A row that is wrong refuses them all. Rows are recorded as those of `/predict`.
    """
    given = await run_in_threadpool(parsed, body, _Instances, "expected an object with 'instances', a list")
    asked = Asked("instances", given.instances, reference=name, coverage=given.coverage)
    return Json(await answered(follower, batches, asked, key))
