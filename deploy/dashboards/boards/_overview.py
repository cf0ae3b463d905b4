"""ML API Overview: how the service does, in one look."""

from deploy.dashboards._board import Board
from deploy.dashboards._panels import RED, Ask, figure, lines, rows
from deploy.dashboards._queries import CALLERS, now, pick, quantile, rate
from deploy.dashboards.boards._shared import (
    COVERAGE_STEPS,
    ERROR_STEPS,
    HEALTH,
    HEALTH_SAYS,
    LATENCY_STEPS,
    champions,
    share,
)

_FAILED = f'status=~"5..",{CALLERS}'

OVERVIEW = Board(
    name="overview",
    title="ML API Overview",
    about="Request rates, latency and errors of the prediction service, and which models answer. Begin here.",
    red=[
        figure(
            "Health",
            "What /health says, the worst of the chosen replicas. A degraded one still answers.",
            "short",
            Ask(f"max({HEALTH})", "health"),
            says=HEALTH_SAYS,
        ),
        figure(
            "Requests", "All requests a second, of every route.", "reqps", Ask(rate("http_requests_total"), "requests")
        ),
        figure(
            "Failed requests",
            "Share of requests, probes left out, that were answered with a 5xx status. The objective is at most 0.1 %.",
            "percentunit",
            Ask(
                share(rate("http_requests_total", where=_FAILED), rate("http_requests_total", where=CALLERS)), "failed"
            ),
            steps=ERROR_STEPS,
            decimals=2,
        ),
        figure(
            "Prediction, p95",
            "95 of 100 predictions took at most so long inside the server.",
            "s",
            Ask(quantile(0.95, "ml_prediction_duration_seconds"), "p95"),
            steps=LATENCY_STEPS,
        ),
        figure(
            "Prediction, p99",
            "99 of 100 predictions took at most so long inside the server.",
            "s",
            Ask(quantile(0.99, "ml_prediction_duration_seconds"), "p99"),
            steps=LATENCY_STEPS,
        ),
        figure(
            "Predictions",
            "Rows that models answered a second; a batch counts each of its rows.",
            "ops",
            Ask(rate("ml_predictions_total", where='status="success"'), "predictions"),
        ),
        lines(
            "Requests by route",
            "Requests a second by route template.",
            "reqps",
            Ask(rate("http_requests_total", "route"), "{{route}}"),
            stacked=True,
        ),
        lines(
            "Refused and failed requests",
            "Answers a second with a 4xx or 5xx status: 422 is bad input, 429 the rate limit, 503 overload.",
            "reqps",
            Ask(rate("http_requests_total", "status", where='status=~"[45].."'), "{{status}}"),
        ),
        lines(
            "Request duration by route, p95",
            "Time from a request's arrival to its answer. Event streams last as long as their job.",
            "s",
            Ask(quantile(0.95, "http_request_duration_seconds", "route"), "{{route}}"),
            steps=LATENCY_STEPS,
            logarithmic=True,
        ),
    ],
    use=[
        lines(
            "Requests in flight",
            "Requests that are being answered just now. A rise that stays means that answers are slower than arrivals.",
            "short",
            Ask(now("http_requests_in_flight", "instance"), "{{instance}}"),
            width=6,
        ),
        lines(
            "Turned away",
            "Requests a second that were refused before any work: no key, no scope, above the rate limit, or overload.",
            "reqps",
            Ask(rate("http_refused_total", "reason"), "{{reason}}"),
            width=6,
        ),
        lines(
            "Prediction records",
            "Records a second. Dropped ones are lost: live accuracy and drift don't see them.",
            "ops",
            Ask(rate("prediction_records_written_total"), "written"),
            Ask(rate("prediction_records_dropped_total"), "dropped"),
            width=6,
        ),
        lines(
            "Processor and memory",
            "Of the machines that replicas run on, in percent.",
            "percent",
            Ask(now("system_cpu_percent", "instance"), "processor {{instance}}"),
            Ask(now("system_memory_percent", "instance"), "memory {{instance}}"),
            width=6,
            top=100,
        ),
    ],
    model=[
        lines(
            "Predictions by model",
            "Rows answered a second.",
            "ops",
            Ask(rate("ml_predictions_total", "model_name", where='status="success"'), "{{model_name}}"),
            stacked=True,
        ),
        lines(
            "Prediction duration",
            "Time inside the server, over all chosen models.",
            "s",
            Ask(quantile(0.5, "ml_prediction_duration_seconds"), "p50"),
            Ask(quantile(0.95, "ml_prediction_duration_seconds"), "p95"),
            Ask(quantile(0.99, "ml_prediction_duration_seconds"), "p99"),
            logarithmic=True,
        ),
        lines(
            "Prediction errors",
            "Failed predictions a second: invalid and unknown_model are the caller's, the other kinds ours.",
            "ops",
            Ask(rate("ml_prediction_errors_total", "model_name", "kind"), "{{model_name}} {{kind}}"),
        ),
        rows(
            "Who answers",
            "Each alias and the version that it points to.",
            "short",
            f"max by (model_name, alias, version, type, workload) ({pick('ml_model_info')})",
            {"model_name": "Model", "alias": "Alias", "version": "Version", "type": "Family", "workload": "Workload"},
        ),
        lines(
            "Coverage of the last day",
            "Share of true costs inside the champions' 90 % intervals. It should stay near 90 %.",
            "percent",
            Ask(champions("ml_live_coverage_percent", "24h"), "{{model_name}}"),
            steps=COVERAGE_STEPS,
            below=RED,
            bottom=60,
            width=6,
            top=100,
        ),
        lines(
            "Error of the last day",
            "Mean error of the champions in percent of the true cost, from the actuals that came in.",
            "percent",
            Ask(champions("ml_live_mape_percent", "24h"), "{{model_name}}"),
            width=6,
        ),
    ],
)
