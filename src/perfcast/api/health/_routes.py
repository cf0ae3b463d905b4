"""Whether the service lives, is ready and is well; each answered from memory."""

from typing import Annotated

from fastapi import APIRouter

from perfcast import __version__
from perfcast.api.health._answers import PLACES, Dependency, Health, Index, Liveness, Readiness
from perfcast.api.health._condition import Condition
from perfcast.api.http._reply import Alive, Json, held
from perfcast.api.http._schemas import example_of, said

_DOWN = {"database": {"status": "down", "reason": "no answer for 9 s"}, "artifacts": example_of(Dependency)}
_UNHEALTHY = example_of(Health, status="unhealthy", models_loaded=0, dependencies=_DOWN)
_NOT_READY = {"status": "not ready", "reason": "no usable model; `perfcast up` makes the starter models"}
router = APIRouter(tags=["health"])


@router.get("/", summary="What this is", **said(Index, "As asked"))
async def index() -> Json:
    """The service, its version, and where to go."""
    return Json({"service": "perfcast", "version": __version__, "see": PLACES})


@router.get(
    "/health",
    summary="How the service is",
    **said(Health, "It is healthy or degraded", unwell=(_UNHEALTHY, "It is unhealthy")),
)
async def health(condition: Annotated[Condition, held(Condition)]) -> Json:
    """`healthy`, `degraded` (it answers, but something is wrong) or `unhealthy` (503: nothing can be predicted)."""
    document = condition.document()
    return Json(document, status_code=503 if document["status"] == "unhealthy" else 200)


@router.get("/livez", summary="Whether the process lives", **said(Liveness, "It does"))
async def livez() -> Json:
    """Always `alive`: restart the process when this doesn't answer."""
    return Json({"status": "alive"})


@router.get(
    "/readyz",
    summary="Whether to send requests here",
    **said(Readiness, "Some model answers", unwell=(_NOT_READY, "No usable model, or the process is about to end")),
)
async def readyz(lifetime: Alive) -> Json:
    """`ready` while some model answers and the process isn't draining."""
    if lifetime.ready:
        return Json({"status": "ready"})
    reason = "draining" if lifetime.draining else "no usable model; `perfcast up` makes the starter models"
    return Json({"status": "not ready", "reason": reason}, status_code=503)
