"""Watching what is served: what was predicted, what turned out true, and what that comes to.

API processes record predictions behind the caller's back (`PredictionLog`, rule R6) and keep the actuals they are told
(`keep_actuals`). In a worker the `Observer` looks at each prediction once, joins each actual with what was predicted,
and tells its watchers, which keep what they find in SQL.
"""

from perfcast.monitoring._accuracy import WINDOWS, Accuracy, Arm, read_accuracy
from perfcast.monitoring._actuals import Actual, Kept, keep_actuals, kept_actuals
from perfcast.monitoring._archive import Archive
from perfcast.monitoring._comparison import live_arms
from perfcast.monitoring._corrections import Correction, CorrectionNews, Corrections, read_corrections
from perfcast.monitoring._export import export_predictions
from perfcast.monitoring._figures import Backlog, KnownActuals, backlog
from perfcast.monitoring._finding import models_of
from perfcast.monitoring._history import Selection
from perfcast.monitoring._judged import Judged, Watcher
from perfcast.monitoring._live import LiveAccuracy
from perfcast.monitoring._networks import WORKLOAD as WORKLOAD_OF_NETWORKS
from perfcast.monitoring._networks import networks_of
from perfcast.monitoring._observer import Observer
from perfcast.monitoring._prediction_log import PredictionLog
from perfcast.monitoring._records import Record, read_records, write_records
from perfcast.monitoring._retention import Retention
from perfcast.monitoring._versions import versions_of

__all__ = [
    "WINDOWS",
    "WORKLOAD_OF_NETWORKS",
    "Accuracy",
    "Actual",
    "Archive",
    "Arm",
    "Backlog",
    "Correction",
    "CorrectionNews",
    "Corrections",
    "Judged",
    "Kept",
    "KnownActuals",
    "LiveAccuracy",
    "Observer",
    "PredictionLog",
    "Record",
    "Retention",
    "Selection",
    "Watcher",
    "backlog",
    "export_predictions",
    "keep_actuals",
    "kept_actuals",
    "live_arms",
    "models_of",
    "networks_of",
    "read_accuracy",
    "read_corrections",
    "read_records",
    "versions_of",
    "write_records",
]
