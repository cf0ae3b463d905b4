"""Whether the service lives, is ready and is well; each answered from memory."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from perfcast import __version__
from perfcast.api._identifiers import timestamp
from perfcast.api._services import Services
from perfcast.api.routers import _examples as examples
from perfcast.api.routers._answers import Health, Index, Liveness, Readiness
from perfcast.api.routers._reply import Held, Json
from perfcast.api.routers._schemas import answer

router = APIRouter(tags=["health"])


@router.get(
    "/",
    summary="What this is",
    response_class=Json,
    response_model=Index,
    responses={200: answer(examples.INDEX)},
)
async def index() -> Json:
    """The service, its version, and where to go."""
    places = {"documentation": "/docs", "models": "/models", "predict": "/predict", "health": "/health"}
    return Json({"service": "perfcast", "version": __version__, "see": places | {"metrics": "/metrics"}})


@router.get(
    "/health",
    summary="How the service is",
    response_class=Json,
    response_model=Health,
    responses={
        200: answer(examples.HEALTH, "It is healthy or degraded"),
        503: {"model": Health, **answer(examples.UNHEALTHY, "It is unhealthy")},
    },
)
async def health(services: Held) -> Json:
    """`healthy`, `degraded` (it answers, but something is wrong) or `unhealthy` (503: nothing can be predicted)."""
    document = _document(services)
    return Json(document, status_code=503 if document["status"] == "unhealthy" else 200)


@router.get(
    "/livez",
    summary="Whether the process lives",
    response_class=Json,
    response_model=Liveness,
    responses={200: answer(examples.ALIVE, "It does")},
)
async def livez() -> Json:
    """Always `alive`: restart the process when this doesn't answer."""
    return Json({"status": "alive"})


@router.get(
    "/readyz",
    summary="Whether to send requests here",
    response_class=Json,
    response_model=Readiness,
    responses={
        200: answer(examples.READY, "Some model answers"),
        503: {"model": Readiness, **answer(examples.NOT_READY, "No usable model, or the process is about to end")},
    },
)
async def readyz(services: Held) -> Json:
    """`ready` while some model answers and the process isn't draining."""
    if services.ready:
        return Json({"status": "ready"})
    reason = "draining" if services.draining else "no usable model; `perfcast up` makes the starter models"
    return Json({"status": "not ready", "reason": reason}, status_code=503)


def _document(services: Services) -> dict[str, Any]:
    routes = services.follower.routes
    dependencies = {probe.name: probe.state() for probe in services.dependencies}
    access = services.gate.problems if services.gate is not None else {}
    problems = {**services.catalogue.problems, **routes.unanswered, **routes.problems, **access}
    wrong = bool(problems) or any(state["status"] == "down" for state in dependencies.values())
    status = "unhealthy" if not routes.champions else "degraded" if wrong else "healthy"
    return {
        "status": status,
        "timestamp": timestamp(),
        "uptime_seconds": services.uptime_seconds,
        "models_loaded": len(routes.champions),
        "system_info": services.system_info,
        "inference": asdict(services.inference),
        "dependencies": dependencies,
        "problems": problems,
        "version": __version__,
    }
