"""The metrics of one replica that is well, in promtool's notation: a minute a value."""

from collections.abc import Mapping
from typing import TypeAlias

Series: TypeAlias = Mapping[str, str | None]
"""What differs from a healthy service, in promtool's notation; None where a series isn't there."""
M, _JOB, _REPLICA = 'model_name="m"', 'job="perfcast"', 'job="perfcast",instance="a:8000"'


def of(name: str, labels: str = "", replica: str = _REPLICA) -> str:
    """A series of the one replica."""
    return f"{name}{{{','.join(filter(None, [replica, labels]))}}}"


ARM = f'{M},arm="champion",version="1"'
REQUESTS = of("http_requests_total", 'route="/predict",method="POST",status="200"')
FAILED = of("http_requests_total", 'route="/predict",method="POST",status="500"')
UPTIME, UP = of("perfcast_uptime_seconds"), of("up")
FEEDBACK, REFUSED = (of("ml_feedback_total", f'result="{result}"') for result in ("accepted", "refused"))
QUEUED, RUNNING = (of("perfcast_jobs", f'status="{status}"') for status in ("queued", "running"))
DAY, HOUR, _WEEK = (f'{ARM},window="{window}"' for window in ("24h", "1h", "7d"))


def late(at_most: Mapping[str, int]) -> Series:
    """Predictions a minute by how long they took at most."""
    return {
        of("http_request_duration_seconds_bucket", f'route="/predict",le="{le}"'): f"0+{n}x600"
        for le, n in at_most.items()
    }


HEALTHY: Series = {
    UP: "1x600",
    UPTIME: "0+60x600",
    of("perfcast_health", 'status="healthy"'): "1x600",
    of("perfcast_health", 'status="degraded"'): "0x600",
    of("perfcast_health", 'status="unhealthy"'): "0x600",
    of("perfcast_dependency_up", 'dependency="database"'): "1x600",
    REQUESTS: "0+600x600",
    of("http_requests_in_flight"): "1x600",
    of("http_new_callers_total"): "3x600",
    **late({"0.01": 590, "0.1": 600, "0.25": 600, "0.5": 600, "+Inf": 600}),
    of("ml_predictions_total", f'{M},status="success"'): "0+600x600",
    of("ml_model_info", f'{M},version="1",alias="champion"'): "1x600",
    of("ml_models_loaded_total"): "1x600",
    of("ml_model_load_failures_total"): "0x600",
    of("ml_shadow_rows_dropped_total"): "0x600",
    of("ml_shadow_rows_failed_total"): "0x600",
    of("prediction_records_written_total"): "0+600x600",
    of("prediction_records_dropped_total"): "0x600",
    of("prediction_records_waiting"): "20x600",
    FEEDBACK: "0+100x600",
    of("ml_live_actuals_total", ARM): "0+100x600",
    of("ml_model_info", f'{M},version="1",type="xgboost",workload="w",alias="champion"'): "1x600",
    of("ml_live_coverage_percent", DAY): "90x600",
    of("ml_live_interval_width", HOUR): "11x600",
    of("ml_live_interval_width", _WEEK): "10x600",
    of("ml_actuals_waiting"): "3x600",
    **{of("ml_drift_state", f'{M},kind="{kind}"'): "0x600" for kind in ("inputs", "error", "coverage", "quality")},
    of("ml_drift_state", f'{M},kind="unexplained"'): "0x600",
    QUEUED: "0x600",
    RUNNING: "0x600",
    of("perfcast_job_oldest_queued_seconds"): "0x600",
    of("perfcast_job_outcomes_total", f'{M},status="succeeded"'): "3x600",
    of("process_open_fds"): "100x600",
    of("process_max_fds"): "1000x600",
    of("system_cpu_percent"): "40x600",
    of("system_memory_percent"): "60x600",
    of("system_disk_used_percent"): "50x600",
    of("system_disk_free_bytes"): "500000000000x600",
}  # fmt: skip
"""A service that nothing is wrong with: no alert fires."""
