"""Drift that can be believed: what has moved, measured against what was usual at training, within a budget of alarms.

What is usual stands in a version's manifest (`Reference`, made by `training/judging/_reference.py` with the functions
here). `Drift` follows predictions and actuals hour by hour in the worker; `read_findings` gives what it has come to.
Errors and coverage are consequences, and what somebody should be woken by; inputs explain them.
"""

from perfcast.monitoring.drift._bursts import Anomaly
from perfcast.monitoring.drift._charts import LEAST_ROWS, make_chart
from perfcast.monitoring.drift._inputs import (
    LEAST_DAY_ROWS,
    day_distances,
    histogram,
    make_edges,
    thresholds_of_days,
    thresholds_of_rows,
)
from perfcast.monitoring.drift._store import describe_drift, read_all_findings, read_anomalies, read_findings
from perfcast.monitoring.drift._stuck import longest_run
from perfcast.monitoring.drift._sums import relative_error, scale_of
from perfcast.monitoring.drift._watcher import Drift

__all__ = [
    "LEAST_DAY_ROWS", "LEAST_ROWS", "Anomaly", "Drift", "day_distances", "describe_drift", "histogram", "longest_run",
    "make_chart", "make_edges", "read_all_findings", "read_anomalies", "read_findings", "relative_error", "scale_of",
    "thresholds_of_days", "thresholds_of_rows",
]  # fmt: skip
