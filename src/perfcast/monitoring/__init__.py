"""Watching what is served.

Every prediction is recorded, written behind the caller's back (rule R6). Once true costs come, `Corrections` learns
from them how far intervals must move to hold what they promise.
"""

from perfcast.monitoring._corrections import Correction, CorrectionNews, Corrections, read_corrections
from perfcast.monitoring._judged import Judged, Watcher
from perfcast.monitoring._prediction_log import PredictionLog
from perfcast.monitoring._records import Record, read_records, write_records

__all__ = [
    "Correction",
    "CorrectionNews",
    "Corrections",
    "Judged",
    "PredictionLog",
    "Record",
    "Watcher",
    "read_corrections",
    "read_records",
    "write_records",
]
