"""What several dashboards say alike: health, thresholds, the champions' figures."""

from deploy.dashboards._panels import GREEN, RED, YELLOW, Steps
from deploy.dashboards._queries import pick

LATENCY_STEPS: Steps = ((0.1, YELLOW), (0.25, RED))
"""Seconds; the second is where `PerfcastSlow` fires."""
ERROR_STEPS: Steps = ((0.001, YELLOW), (0.0144, RED))
"""Shares; the first is the objective, the second where `PerfcastErrorBudgetBurnsFast` fires."""
COVERAGE_STEPS: Steps = ((80, YELLOW), (88, GREEN))
"""Percent of true costs inside intervals that were to hold 90; below the first `PerfcastCoverageLow` fires."""
PERCENT_STEPS: Steps = ((80, YELLOW), (95, RED))
"""Percent of a machine's disk or memory; at the second alerts fire."""
_DEGRADED, _UNHEALTHY = (pick("perfcast_health", f'status="{status}"') for status in ("degraded", "unhealthy"))
HEALTH = f"{_DEGRADED} + on (job, instance) 2 * {_UNHEALTHY}"
"""Replica by replica, as `HEALTH_SAYS` reads it."""
HEALTH_SAYS = {0: ("healthy", GREEN), 1: ("degraded", YELLOW), 2: ("unhealthy", RED)}


def share(part: str, whole: str) -> str:
    """What share of the whole the part is; 0 where there is no such series yet."""
    return f"({part} or vector(0)) / {whole}"


def champions(name: str, window: str) -> str:
    """A figure of live accuracy, of the versions that are champions now: what was one before has figures too."""
    figure = pick(name, f'arm="champion",window="{window}"')
    now = pick("ml_model_info", 'alias="champion"')
    return f"max by (model_name) ({figure} and on (job, model_name, version) {now})"
