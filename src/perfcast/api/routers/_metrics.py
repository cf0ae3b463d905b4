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
    records, follower = services.records, services.follower
    return TallyCollector(
        services.tally,
        {
            "ml_models_loaded_total": (
                "Models whose champion is in memory",
                lambda: sum(slot.predictor is not None for slot in follower.routes.champions.values()),
            ),
            "ml_models_loaded_bytes": ("Bytes of the graphs in memory", lambda: follower.cache.bytes),
            "ml_model_evictions": ("Graphs that left memory for others", lambda: follower.cache.evictions),
            "ml_shadow_rows_dropped": ("Rows that no shadow was asked for", lambda: services.shadows.dropped),
            "ml_shadow_rows_failed": ("Rows that a shadow had no answer for", lambda: services.shadows.failed),
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
