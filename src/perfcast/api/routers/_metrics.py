"""`GET /metrics` for Prometheus."""

from collections.abc import Callable
from functools import partial

from fastapi import APIRouter
from starlette.responses import Response

from perfcast.api._services import Services
from perfcast.api._tally import Tally, TallyCollector
from perfcast.api.routers._reply import Held

router = APIRouter(tags=["health"])
_MEANINGS = {
    "ml_model_evictions": "Graphs that left memory for others",
    "ml_shadow_rows_dropped": "Rows that no shadow was asked for",
    "ml_shadow_rows_failed": "Rows that a shadow had no answer for",
    "prediction_records_written": "Records of predictions written to the database",
    "prediction_records_dropped": "Records of predictions lost because the database could not take them",
}
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def metrics(services: Held) -> Response:
    """Counters, histograms and gauges in Prometheus' text format; of all processes, where several share the port."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    registry = CollectorRegistry()
    shared = services.shared_tally
    if shared is None:
        registry.register(_collector(services, services.tally, services.counts()))
        ProcessCollector(registry=registry)  # of several, it would show now this one and now that
    else:
        registry.register(_collector(services, *shared.total()))
    return Response(generate_latest(registry), media_type=_TEXT)


def _collector(services: Services, tally: Tally, counts: dict[str, int]) -> TallyCollector:
    follower = services.follower
    gauges: dict[str, tuple[str, Callable[[], float]]] = {
        "ml_models_loaded_total": (
            "Models whose champion is in memory",
            lambda: sum(slot.predictor is not None for slot in follower.routes.champions.values()),
        ),
        "ml_models_loaded_bytes": ("Bytes of the graphs in memory", lambda: follower.cache.bytes),
        "http_requests_in_flight": ("Requests being answered", lambda: tally.in_flight),
    }
    counted = {name: (_MEANINGS[name], partial(float, count)) for name, count in counts.items()}
    return TallyCollector(tally, gauges | counted)
