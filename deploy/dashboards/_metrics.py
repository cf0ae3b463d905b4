"""What dashboards and rules must know of metrics besides the server's own catalogue: who tells each."""

from perfcast.api.metrics import METRICS, SECTIONS

_SHARED = ("Live accuracy", "Drift", "Training")
SHARED = {metric.name for section in _SHARED for metric in SECTIONS[section]} | {
    "ml_model_info",
    "ml_model_activated_timestamp_seconds",
}
"""What every replica tells alike, having read it from the database: the whole is any of them, not their sum."""
HOST = {metric.name for metric in SECTIONS["The host"]}
"""What each replica sees of its machine: to be shown replica by replica."""
ALWAYS = {name for name, metric in METRICS.items() if not metric.labels} | {
    "perfcast_dependency_up",
    "perfcast_health",
    "perfcast_jobs",
}
"""What is there soon after the start, so that its absence means something."""
