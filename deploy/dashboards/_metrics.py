"""What Perfcast shows Prometheus, as far as dashboards and rules ask for it: names, kinds and labels."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How a metric behaves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Told(Enum):
    """Who tells a metric."""

    OWN = "own"
    """Each replica its own part: the whole is the sum."""
    SHARED = "shared"
    """Every replica the same, read from the database: the whole is any of them."""
    HOST = "host"
    """Each replica what it sees of its machine: to be shown replica by replica."""


@dataclass(frozen=True)
class Metric:
    """A metric family.

    Attributes:
        name: As in `/metrics`; of a histogram without `_bucket`.
        labels: Besides those that Prometheus adds (`job`, `instance`).
        always: Whether it is there from the first scrape, so that its absence means something.
    """

    name: str
    kind: Kind
    told: Told
    labels: tuple[str, ...] = ()
    always: bool = False


_ARM = "model_name arm version"
_WINDOW = f"{_ARM} window"
_OWN = """
counter   http_requests_total                     route method status
histogram http_request_duration_seconds           route
gauge     http_requests_in_flight!
counter   http_refused_total                      reason
gauge     http_callers                            window
counter   http_new_callers_total
counter   ml_predictions_total                    model_name status
histogram ml_prediction_duration_seconds          model_name
counter   ml_prediction_errors_total              model_name kind
counter   ml_arm_predictions_total                ARM
histogram ml_arm_prediction_duration_seconds      ARM
histogram ml_batch_rows                           form
counter   ml_extrapolated_predictions_total       model_name
counter   ml_workload_predictions_total           workload
counter   ml_preset_predictions_total             workload preset
gauge     ml_models_loaded_total!
gauge     ml_models_loaded_bytes!
counter   ml_model_loads_total!
counter   ml_model_load_failures_total!
counter   ml_model_evictions_total!
counter   ml_shadow_rows_dropped_total!
counter   ml_shadow_rows_failed_total!
counter   prediction_records_written_total!
counter   prediction_records_dropped_total!
gauge     prediction_records_waiting!
counter   ml_feedback_total                       result
gauge     perfcast_uptime_seconds!
gauge     perfcast_dependency_up!                 dependency
gauge     perfcast_health!                        status
counter   process_cpu_seconds_total!
gauge     process_resident_memory_bytes!
gauge     process_open_fds!
gauge     process_max_fds!
"""
_SHARED = """
gauge     ml_model_info                           model_name version type workload alias
gauge     ml_model_activated_timestamp_seconds    model_name
counter   ml_live_actuals_total                   ARM
gauge     ml_live_mae                             WINDOW
gauge     ml_live_mape_percent                    WINDOW
gauge     ml_live_bias                            WINDOW
gauge     ml_live_coverage_percent                WINDOW
gauge     ml_live_interval_width                  WINDOW
gauge     ml_actuals_waiting!
gauge     ml_interval_correction                  model_name version side
gauge     ml_drift_score                          model_name feature
gauge     ml_drift_state                          model_name kind
counter   ml_drift_alarms_total                   model_name kind
gauge     perfcast_jobs!                          status
counter   perfcast_job_outcomes_total             model_name status
gauge     perfcast_job_progress                   model_name
gauge     perfcast_job_last_seconds               model_name
gauge     perfcast_job_oldest_queued_seconds!
counter   perfcast_schedule_fired_total           model_name trigger
"""
_HOST = """
gauge     system_cpu_percent!
gauge     system_memory_percent!
gauge     system_memory_available_bytes!
gauge     system_disk_used_percent!
gauge     system_disk_free_bytes!
counter   system_disk_read_bytes_total!
counter   system_disk_written_bytes_total!
counter   system_network_received_bytes_total!
counter   system_network_sent_bytes_total!
gauge     system_boot_timestamp_seconds!
"""


def _read(text: str, told: Told) -> dict[str, Metric]:
    """One metric a line: kind, name (`!` where it is always there), labels."""
    found = {}
    for line in text.replace("ARM", _ARM).replace("WINDOW", _WINDOW).strip().splitlines():
        kind, name, *labels = line.split()
        found[name.rstrip("!")] = Metric(name.rstrip("!"), Kind(kind), told, tuple(labels), name.endswith("!"))
    return found


METRICS = _read(_OWN, Told.OWN) | _read(_SHARED, Told.SHARED) | _read(_HOST, Told.HOST)
"""Every metric by its name. `ml_models_loaded_total` is a gauge in spite of its name, which clients know."""
