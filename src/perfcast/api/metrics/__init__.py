"""What is counted, in this process and in all that share its port, and `GET /metrics` for Prometheus.

The one feature that lies beneath the others: each counts what it answers. `_catalogue` has every metric's name and
meaning; `_tally` and `_histogram` are what is counted while a caller waits, `_callers` and `_usage` what is counted
behind, `_summary` reads what lies in SQL, `_shared` puts several processes' counts together, and `_exposition` shows
all of it.
"""

from perfcast.api.metrics._callers import Callers
from perfcast.api.metrics._catalogue import METRICS, SECTIONS, Description
from perfcast.api.metrics._exposition import Exposition, Samples, alone
from perfcast.api.metrics._histogram import Durations
from perfcast.api.metrics._summary import Findings, Summary
from perfcast.api.metrics._tally import METHODS, Kind, Ledger, Tally, kind_of
from perfcast.api.metrics._usage import Usage

__all__ = [
    "METHODS",
    "METRICS",
    "SECTIONS",
    "Callers",
    "Description",
    "Durations",
    "Exposition",
    "Findings",
    "Kind",
    "Ledger",
    "Samples",
    "Summary",
    "Tally",
    "Usage",
    "alone",
    "kind_of",
]
