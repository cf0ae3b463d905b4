"""Answers that are kept: the objective's error shares, and latency under the name that older dashboards ask for."""

from deploy.dashboards._queries import CALLERS
from deploy.dashboards.rules._rule import Group, Recording, ours

WINDOWS = ("5m", "30m", "1h", "6h")
"""Those that the alerts on the error budget look at."""
FAILED = f'http_requests_total{{status=~"5..",{CALLERS}}}'
_ALL = f"http_requests_total{{{CALLERS}}}"


def errors(window: str) -> str:
    """The name under which the share of failed requests of a window is kept."""
    return f"job:http_request_errors:ratio_rate{window}"


def _shares() -> list[Recording]:
    failed, whole = (f"sum by (job) (rate({series}[%s]))" for series in (FAILED, _ALL))
    expr = ours(f"({failed} or 0 * {whole}) / {whole}")
    return [Recording(errors(window), expr.replace("%s", window)) for window in WINDOWS]


_LATENCY = "sum by (job, route, le) (rate(http_request_duration_seconds_bucket[5m]))"
_BUCKETS = "sum by (job, model_name, le) (rate(ml_prediction_duration_seconds_bucket[5m]))"
RECORDINGS = Group(
    "recordings",
    [
        *_shares(),
        # The bare name of a histogram, which has no series of its own: what older dashboards drew.
        Recording(
            "ml_prediction_duration_seconds", f"histogram_quantile(0.95, {_BUCKETS})", labels=(("quantile", "0.95"),)
        ),
        Recording("job_route:http_request_duration_seconds:p99_5m", ours(f"histogram_quantile(0.99, {_LATENCY})")),
    ],
)
