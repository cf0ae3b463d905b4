"""Watching what is served: the record of every prediction, written behind the caller's back (rule R6), and figures."""

from perfcast.monitoring._figures import WINDOWS, Backlog, KnownActuals, backlog, corrections, drifting, live_accuracy
from perfcast.monitoring._networks import WORKLOAD as WORKLOAD_OF_NETWORKS
from perfcast.monitoring._networks import networks_of
from perfcast.monitoring._prediction_log import PredictionLog
from perfcast.monitoring._records import Record, read_records, write_records

__all__ = [
    "WINDOWS",
    "WORKLOAD_OF_NETWORKS",
    "Backlog",
    "KnownActuals",
    "PredictionLog",
    "Record",
    "backlog",
    "corrections",
    "drifting",
    "live_accuracy",
    "networks_of",
    "read_records",
    "write_records",
]
