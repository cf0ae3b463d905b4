"""`GET /metrics` for Prometheus."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from perfcast.api.http._reply import held
from perfcast.api.metrics._exposition import Exposition

router = APIRouter(tags=["health"])
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def metrics(exposition: Annotated[Exposition, held(Exposition)]) -> Response:
    """Counters, histograms and gauges in Prometheus' text format; of all processes, where several share the port."""
    return Response(exposition.text(), media_type=_TEXT)
