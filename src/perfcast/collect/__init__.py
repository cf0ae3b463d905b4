"""Rows straight from Prometheus, or what speaks its API: VictoriaMetrics, Thanos, Mimir.

A `Collection` is a file: a server, a query for each feature and for the cost. `check` says what is wrong with it.
A `Collector` asks (`_prometheus`, in pieces that the server takes), puts the answers of one instant side by side into
rows (`_rows`), keeps them in a `Journal` by their time, lets a `Line` of datasets grow, and tells a Perfcast server of
each row (`Feedback`), so that its models are judged by what came.
"""

from perfcast.collect._check import Report, check
from perfcast.collect._collection import CAPACITY, Collection, read_collection
from perfcast.collect._collector import Collector
from perfcast.collect._duration import seconds
from perfcast.collect._example import example
from perfcast.collect._feedback import Feedback
from perfcast.collect._finding import Finding
from perfcast.collect._journal import Journal
from perfcast.collect._line import Line
from perfcast.collect._prometheus import Busy, Prometheus, TooMuch, TooSlow
from perfcast.collect._retries import Retries
from perfcast.collect._span import Span

__all__ = [
    "CAPACITY",
    "Busy",
    "Collection",
    "Collector",
    "Feedback",
    "Finding",
    "Journal",
    "Line",
    "Prometheus",
    "Report",
    "Retries",
    "Span",
    "TooMuch",
    "TooSlow",
    "check",
    "example",
    "read_collection",
    "seconds",
]
