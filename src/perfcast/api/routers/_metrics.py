"""`GET /metrics` for Prometheus."""

from fastapi import APIRouter
from starlette.responses import Response

from perfcast.api._services import Services
from perfcast.api._tally import TallyCollector
from perfcast.api.routers._reply import Held

router = APIRouter(tags=["health"])
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def metrics(services: Held) -> Response:
    """Counters, histograms and gauges in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    registry = CollectorRegistry()
    registry.register(_collector(services))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=_TEXT)


def _collector(services: Services) -> TallyCollector:
    records = services.records
    return TallyCollector(
        services.tally,
        {
            "ml_models_loaded_total": ("Models that answer", lambda: len(services.follower.routes.champions)),
            "http_requests_in_flight": ("Requests being answered", lambda: services.tally.in_flight),
            "prediction_records_written": (
                "Records of predictions written to the database",
                lambda: records.written if records is not None else 0,
            ),
            "prediction_records_dropped": (
                "Records of predictions lost because the database could not take them",
                lambda: records.dropped if records is not None else 0,
            ),
        },
    )
