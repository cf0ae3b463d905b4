"""Watching what is served: the record of every prediction, written behind the caller's back (rule R6), and figures."""

from perfcast.monitoring._archive import Archive
from perfcast.monitoring._export import FORMATS, export_predictions
from perfcast.monitoring._figures import WINDOWS, Backlog, KnownActuals, backlog, corrections, drifting, live_accuracy
from perfcast.monitoring._history import Selection
from perfcast.monitoring._networks import WORKLOAD as WORKLOAD_OF_NETWORKS
from perfcast.monitoring._networks import networks_of
from perfcast.monitoring._prediction_log import PredictionLog
from perfcast.monitoring._records import Record, read_records, write_records
from perfcast.monitoring._retention import Retention

__all__ = [
    "FORMATS",
    "WINDOWS",
    "WORKLOAD_OF_NETWORKS",
    "Archive",
    "Backlog",
    "KnownActuals",
    "PredictionLog",
    "Record",
    "Retention",
    "Selection",
    "backlog",
    "corrections",
    "drifting",
    "export_predictions",
    "live_accuracy",
    "networks_of",
    "read_records",
    "write_records",
]
