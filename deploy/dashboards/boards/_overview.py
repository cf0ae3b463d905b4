"""ML API Overview: how the service does, in one look."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import RED, figure, lines
from deploy.dashboards._queries import CALLERS, Query, now, quantile, rate, share
from deploy.dashboards.boards._shared import (
    COVERAGE_STEPS,
    ERROR_STEPS,
    FAILED,
    HEALTH,
    HEALTH_SAYS,
    LATENCY_STEPS,
    answered,
    champions,
    versions,
)

_GLANCE = [
    figure(
        "Health",
        "What /health says, the worst of the chosen replicas. A degraded one still answers.",
        Query(f"max({HEALTH})", "health"),
        says=HEALTH_SAYS,
    ),
    figure(
        "Requests",
        "All requests a second, of every route.",
        rate("http_requests_total").called("requests"),
        unit="reqps",
    ),
    figure(
        "Failed requests",
        "Share of requests, probes left out, that were answered with a 5xx status. The objective is at most 0.1 %.",
        share(rate("http_requests_total", where=FAILED), rate("http_requests_total", where=CALLERS)).called("failed"),
        unit="percentunit",
        steps=ERROR_STEPS,
        decimals=2,
    ),
    figure(
        "Prediction, p95",
        "95 of 100 predictions took at most so long inside the server.",
        quantile(0.95, "ml_prediction_duration_seconds").called("p95"),
        unit="s",
        steps=LATENCY_STEPS,
    ),
    figure(
        "Prediction, p99",
        "99 of 100 predictions took at most so long inside the server.",
        quantile(0.99, "ml_prediction_duration_seconds").called("p99"),
        unit="s",
        steps=LATENCY_STEPS,
    ),
    figure(
        "Predictions",
        "Rows that models answered a second; a batch counts each of its rows.",
        answered().called("predictions"),
        unit="ops",
    ),
]
_ROUTES = [
    lines(
        "Requests by route",
        "Requests a second by route template.",
        rate("http_requests_total", "route"),
        unit="reqps",
        stacked=True,
    ),
    lines(
        "Refused and failed requests",
        "Answers a second with a 4xx or 5xx status: 422 is bad input, 429 the rate limit, 503 overload.",
        rate("http_requests_total", "status", where='status=~"[45].."'),
        unit="reqps",
    ),
    lines(
        "Request duration by route, p95",
        "Time from a request's arrival to its answer. Event streams last as long as their job.",
        quantile(0.95, "http_request_duration_seconds", "route"),
        unit="s",
        steps=LATENCY_STEPS,
        logarithmic=True,
    ),
]
_LOAD = [
    lines(
        "Requests in flight",
        "Requests that are being answered just now. A rise that stays means that answers are slower than arrivals.",
        now("http_requests_in_flight", "instance"),
    ),
    lines(
        "Turned away",
        "Requests a second that were refused before any work: no key, no scope, above the rate limit, or overload.",
        rate("http_refused_total", "reason"),
        unit="reqps",
    ),
    lines(
        "Prediction records",
        "Records a second. Dropped ones are lost: live accuracy and drift don't see them.",
        rate("prediction_records_written_total").called("written"),
        rate("prediction_records_dropped_total").called("dropped"),
        unit="ops",
    ),
    lines(
        "Processor and memory",
        "Of the machines that replicas run on, in percent.",
        now("system_cpu_percent", "instance").called("processor {{instance}}"),
        now("system_memory_percent", "instance").called("memory {{instance}}"),
        unit="percent",
        top=100,
    ),
]
_PREDICTIONS = [
    lines("Predictions by model", "Rows answered a second.", answered("model_name"), unit="ops", stacked=True),
    lines(
        "Prediction duration",
        "Time inside the server, over all chosen models.",
        quantile(0.5, "ml_prediction_duration_seconds").called("p50"),
        quantile(0.95, "ml_prediction_duration_seconds").called("p95"),
        quantile(0.99, "ml_prediction_duration_seconds").called("p99"),
        unit="s",
        logarithmic=True,
    ),
    lines(
        "Prediction errors",
        "Failed predictions a second: invalid and unknown_model are the caller's, the other kinds ours.",
        rate("ml_prediction_errors_total", "model_name", "kind"),
        unit="ops",
    ),
]
_TRUTH = [
    versions("Who answers", width=12),
    lines(
        "Coverage of the last day",
        "Share of true costs inside the champions' 90 % intervals. It should stay near 90 %.",
        champions("ml_live_coverage_percent", "24h"),
        unit="percent",
        steps=COVERAGE_STEPS,
        below=RED,
        bottom=60,
        top=100,
    ),
    lines(
        "Error of the last day",
        "Mean error of the champions in percent of the true cost, from the actuals that came in.",
        champions("ml_live_mape_percent", "24h"),
        unit="percent",
    ),
]

OVERVIEW = Board(
    name="overview",
    title="ML API Overview",
    about="Request rates, latency and errors of the prediction service, and which models answer. Begin here.",
    red=[_GLANCE, _ROUTES],
    use=[_LOAD],
    model=[_PREDICTIONS, _TRUTH],
)
