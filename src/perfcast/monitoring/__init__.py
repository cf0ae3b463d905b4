"""Watching what is served: for now the record of every prediction, written behind the caller's back (rule R6)."""

from perfcast.monitoring._networks import WORKLOAD as WORKLOAD_OF_NETWORKS
from perfcast.monitoring._networks import networks_of
from perfcast.monitoring._prediction_log import PredictionLog
from perfcast.monitoring._records import Record, read_records, write_records

__all__ = ["WORKLOAD_OF_NETWORKS", "PredictionLog", "Record", "networks_of", "read_records", "write_records"]
