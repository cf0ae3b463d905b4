"""Whether callers get answers, and in time."""

from deploy.dashboards.rules._recordings import FAILED, errors
from deploy.dashboards.rules._rule import Alert, Group

_OURS = 'kind=~"no_model|internal"'
_LATE_SECONDS = 0.25
_KNOWN = "group by ({0}) (max_over_time(perfcast_uptime_seconds[1d]))"
_PAST_TEN = f"sum by (job) (increase({FAILED}[1h])) >= 10"
"""A budget that three requests burn in a quiet night is nobody's business."""


def _burns(factor: float, long: str, short: str) -> str:
    """Both windows above `factor` times what an objective of 99.9 % allows (Site Reliability Workbook, chapter 5)."""
    most = f"{factor} * 0.001"
    return f"{errors(long)} > {most} and on (job) {errors(short)} > {most} and on (job) {_PAST_TEN}"


AVAILABILITY = Group(
    "availability",
    [
        Alert(
            "PerfcastAbsent",
            "critical",
            "5m",
            "Prometheus knows of no Perfcast",
            "No replica of any job is scraped: all are down, or the scrape configuration finds none.",
            "absent(perfcast_uptime_seconds)",
        ),
        Alert(
            "PerfcastDown",
            "critical",
            "2m",
            "No replica of {{ $labels.job }} answers",
            "Every replica of {{ $labels.job }} that was there within the last day fails its scrape.",
            f"max by (job) (up and on (job) {_KNOWN.format('job')}) == 0",
        ),
        Alert(
            "PerfcastReplicaDown",
            "warning",
            "5m",
            "Replica {{ $labels.instance }} does not answer",
            "{{ $labels.instance }} of {{ $labels.job }} fails its scrapes, though it is still expected.",
            f"up == 0 and on (job, instance) {_KNOWN.format('job, instance')}",
        ),
        Alert(
            "PerfcastRestarts",
            "warning",
            "1m",
            "Replica {{ $labels.instance }} keeps restarting",
            "{{ $labels.instance }} has begun anew {{ $value }} times within half an hour.",
            "resets(perfcast_uptime_seconds[30m]) >= 3",
        ),
        Alert(
            "PerfcastUnhealthy",
            "critical",
            "2m",
            "{{ $labels.instance }} can predict nothing",
            "/health of {{ $labels.instance }} says unhealthy: no model is usable.",
            'perfcast_health{status="unhealthy"} == 1',
        ),
        Alert(
            "PerfcastDegraded",
            "warning",
            "15m",
            "{{ $labels.instance }} is degraded",
            "It answers, but /health names a problem: look at `problems` and `dependencies` there.",
            'perfcast_health{status="degraded"} == 1',
        ),
        Alert(
            "PerfcastDependencyDown",
            "warning",
            "5m",
            "{{ $labels.instance }} does not reach {{ $labels.dependency }}",
            "Predictions go on without it; what else stops is in the runbook.",
            "perfcast_dependency_up == 0",
        ),
        Alert(
            "PerfcastErrorBudgetBurnsFast",
            "critical",
            "2m",
            "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail",
            "At this pace the errors that an objective of 99.9 % allows for a month are used up within two days.",
            _burns(14.4, "1h", "5m"),
        ),
        Alert(
            "PerfcastErrorBudgetBurnsSlowly",
            "warning",
            "15m",
            "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail, for hours",
            "At this pace the errors that an objective of 99.9 % allows for a month are used up within five days.",
            _burns(6, "6h", "30m"),
        ),
        Alert(
            "PerfcastModelFails",
            "critical",
            "5m",
            "{{ $labels.model_name }} fails {{ $value | humanizePercentage }} of its predictions",
            "It has no usable version, or its graph fails; callers' bad input isn't counted.",
            f"sum by (job, model_name) (rate(ml_prediction_errors_total{{{_OURS}}}[5m]))"
            " / sum by (job, model_name) (rate(ml_predictions_total[5m])) > 0.05 and on (job, model_name)"
            f" sum by (job, model_name) (increase(ml_prediction_errors_total{{{_OURS}}}[15m])) >= 10",
        ),
        Alert(
            "PerfcastSlow",
            "critical",
            "10m",
            "One of 100 predictions of {{ $labels.job }} takes over {{ $value | humanizeDuration }}",
            f"The p99 of /predict is above {_LATE_SECONDS} s; usual is a hundredth of that.",
            f'job_route:http_request_duration_seconds:p99_5m{{route="/predict"}} > {_LATE_SECONDS}',
        ),
        Alert(
            "PerfcastOverloaded",
            "warning",
            "10m",
            "{{ $labels.job }} turns away {{ $value | humanizePercentage }} of its requests",
            "More requests come than the bounds on concurrency take; they get 503 at once.",
            'sum by (job) (rate(http_refused_total{reason="overload"}[5m]))'
            " / sum by (job) (rate(http_requests_total[5m])) > 0.01",
        ),
        Alert(
            "PerfcastModelNotLoaded",
            "warning",
            "1m",
            "{{ $labels.instance }} could not load a model",
            "The version before goes on answering; /health names the model and why.",
            "increase(ml_model_load_failures_total[15m]) > 0",
        ),
    ],
)
