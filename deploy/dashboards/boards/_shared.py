"""What several dashboards say alike: thresholds, health, predictions, the champions' figures."""

from deploy.dashboards._panels import GREEN, RED, YELLOW, Panel, Steps, lines, rows
from deploy.dashboards._queries import CALLERS, Query, now, pick, rate, ratio

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


FAILED = f'status=~"5..",{CALLERS}'
"""A matcher of requests, probes left out, that were answered with a 5xx status."""


def answered(*by: str) -> Query:
    """Rows that models answered, a second."""
    return rate("ml_predictions_total", *by, where='status="success"')


def beyond() -> Query:
    """By model, the share of answers with a feature outside what it has seen."""
    return ratio(rate("ml_extrapolated_predictions_total", "model_name"), answered("model_name"))


def champions(name: str, window: str) -> Query:
    """A figure of live accuracy, of the versions that are champions now: what was one before has figures too."""
    figure = pick(name, f'arm="champion",window="{window}"')
    present = pick("ml_model_info", 'alias="champion"')
    return Query(f"max by (model_name) ({figure} and on (job, model_name, version) {present})", "{{model_name}}")


def corrections() -> Panel:
    """How far intervals are moved."""
    return lines(
        "Correction of the intervals",
        "How far actuals move each side of the 90 % intervals: in the cost's unit, or the logarithm of a factor.",
        now("ml_interval_correction", "model_name", "version", "side"),
    )


def versions(title: str, width: int | None = None) -> Panel:
    """Who answers."""
    return rows(
        title,
        "Each alias and the version that it points to.",
        f"max by (model_name, alias, version, type, workload) ({pick('ml_model_info')})",
        {"model_name": "Model", "alias": "Alias", "version": "Version", "type": "Family", "workload": "Workload"},
        width=width,
    )
