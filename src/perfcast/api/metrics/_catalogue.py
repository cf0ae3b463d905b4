"""Every metric: its name, kind, labels and meaning, in the order in which it is shown. `docs/metrics.md` has them too.

Names don't change: dashboards, alerts and the queries of those who moved over ask for them.
"""

from typing import Literal, NamedTuple


class Description(NamedTuple):
    """What a metric is; the name of a counter ends in `_total`, a gauge's may."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str


_ARM = ("model_name", "arm", "version")
_LIVE = (*_ARM, "window")


def _counter(name: str, meaning: str, *labels: str) -> Description:
    return Description(name, "counter", labels, meaning)


def _gauge(name: str, meaning: str, *labels: str) -> Description:
    return Description(name, "gauge", labels, meaning)


def _histogram(name: str, meaning: str, *labels: str) -> Description:
    return Description(name, "histogram", labels, meaning)


SECTIONS: dict[str, tuple[Description, ...]] = {
    "Requests": (
        _counter("http_requests_total", "Requests answered", "route", "method", "status"),
        _histogram("http_request_duration_seconds", "Time of a request", "route"),
        _gauge("http_requests_in_flight", "Requests being answered"),
        _counter("http_refused_total", "Requests refused before they were looked at", "reason"),
        _gauge("http_callers", "Distinct callers in the last hour or day", "window"),
        _counter("http_new_callers_total", "Callers that had not called in the day before"),
    ),
    "Predictions": (
        _counter("ml_predictions_total", "Predictions answered, or not", "model_name", "status"),
        _histogram("ml_prediction_duration_seconds", "Time of a prediction", "model_name"),
        _counter("ml_prediction_errors_total", "Predictions that failed, by what was wrong", "model_name", "kind"),
        _counter("ml_arm_predictions_total", "Predictions answered by each arm, shadows among them", *_ARM),
        _histogram("ml_arm_prediction_duration_seconds", "Time of a prediction by arm", *_ARM),
        _histogram("ml_batch_rows", "Rows of a batch", "form"),
        _counter("ml_extrapolated_predictions_total", "Answers beyond what the model was trained on", "model_name"),
        _counter("ml_workload_predictions_total", "Predictions answered by workload", "workload"),
        _counter(
            "ml_preset_predictions_total",
            "Recorded predictions of a layer that a popular network has",
            *("workload", "preset"),
        ),
    ),
    "Models": (
        _gauge("ml_models_loaded_total", "Models whose champion is in memory"),
        _gauge("ml_models_loaded_bytes", "Bytes of the graphs in memory, of all processes"),
        _counter("ml_model_loads_total", "Graphs loaded"),
        _counter("ml_model_load_failures_total", "Graphs that could not be loaded"),
        _counter("ml_model_evictions_total", "Graphs that left memory for others"),
        _gauge(
            "ml_model_info",
            "1 for the version that answers for an alias",
            *("model_name", "version", "type", "workload", "alias"),
        ),
        _gauge("ml_model_activated_timestamp_seconds", "When the champion became it", "model_name"),
    ),
    "Records": (
        _counter("ml_shadow_rows_dropped_total", "Rows that no shadow was asked for"),
        _counter("ml_shadow_rows_failed_total", "Rows that a shadow had no answer for"),
        _counter("prediction_records_written_total", "Records of predictions written to the database"),
        _counter("prediction_records_dropped_total", "Records of predictions lost, since the database took none"),
        _gauge("prediction_records_waiting", "Records of predictions that wait to be written"),
        _counter("ml_feedback_total", "True costs that callers told", "result"),
    ),
    "Live accuracy": (
        _counter("ml_live_actuals_total", "Predictions whose true cost is known", *_ARM),
        _gauge("ml_live_mae", "Mean absolute error, in the cost's unit", *_LIVE),
        _gauge("ml_live_mape_percent", "Mean absolute error in percent of the true cost", *_LIVE),
        _gauge("ml_live_bias", "Mean of predicted - true, in the cost's unit", *_LIVE),
        _gauge("ml_live_coverage_percent", "True costs inside the interval at 0.9", *_LIVE),
        _gauge("ml_live_interval_width", "Mean width of intervals at 0.9, in the cost's unit", *_LIVE),
        _gauge("ml_actuals_waiting", "True costs that wait to be joined with their predictions"),
        _gauge(
            "ml_interval_correction",
            "How far the bound at 0.9 is moved upwards: in the cost's unit, or the logarithm of the factor",
            *("model_name", "version", "side"),
        ),
    ),
    "Drift": (
        _gauge("ml_drift_score", "Statistic ÷ its threshold; 1 and more is drift", "model_name", "feature"),
        _gauge("ml_drift_state", "1 while it drifts", "model_name", "kind"),
        _counter("ml_drift_alarms_total", "Alarms of drift", "model_name", "kind"),
    ),
    "Training": (
        _gauge("perfcast_jobs", "Training jobs; those queued are the queue's depth", "status"),
        _counter("perfcast_job_outcomes_total", "Training jobs that ended", "model_name", "status"),
        _gauge("perfcast_job_progress", "How far the running job is, 0 to 1", "model_name"),
        _gauge("perfcast_job_last_seconds", "How long the last job that succeeded ran", "model_name"),
        _gauge("perfcast_job_oldest_queued_seconds", "How long the oldest queued job has waited"),
        _counter("perfcast_schedule_fired_total", "Jobs that schedules began", "model_name", "trigger"),
    ),
    "Processes of the port": (
        _counter("process_cpu_seconds_total", "Processor time, user and system, of all processes"),
        _gauge("process_resident_memory_bytes", "Resident memory of all processes"),
        _gauge("process_virtual_memory_bytes", "Virtual memory of all processes"),
        _gauge("process_open_fds", "Open files of all processes"),
        _gauge("process_max_fds", "Files that all processes may have open"),
        _gauge("process_start_time_seconds", "When the oldest process began"),
        _gauge("perfcast_uptime_seconds", "How long it has been serving"),
        _gauge("perfcast_dependency_up", "1 while it answers", "dependency"),
        _gauge("perfcast_health", "1 for what /health says: healthy, degraded or unhealthy", "status"),
    ),
    "The host": (
        _gauge("system_cpu_percent", "Processors in use, of all"),
        _gauge("system_memory_percent", "Memory in use"),
        _gauge("system_memory_available_bytes", "Memory that can be had"),
        _gauge("system_disk_used_percent", "Of the disk of DATA_DIR"),
        _gauge("system_disk_free_bytes", "Of the disk of DATA_DIR"),
        _counter("system_disk_read_bytes_total", "Read from all disks"),
        _counter("system_disk_written_bytes_total", "Written to all disks"),
        _counter("system_network_received_bytes_total", "Received by all interfaces"),
        _counter("system_network_sent_bytes_total", "Sent by all interfaces"),
        _gauge("system_boot_timestamp_seconds", "When the host began"),
    ),
}
"""Every metric, by what it tells of."""
METRICS = {metric.name: metric for section in SECTIONS.values() for metric in section}
"""Every metric by its name."""
