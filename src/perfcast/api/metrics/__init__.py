"""What is counted, in this process and in all that share its port, and `GET /metrics` for Prometheus.

The one feature that lies beneath the others: each counts what it answers.
"""

from perfcast.api.metrics._exposition import Exposition
from perfcast.api.metrics._tally import METHODS, Durations, Ledger, Tally

__all__ = ["METHODS", "Durations", "Exposition", "Ledger", "Tally"]
