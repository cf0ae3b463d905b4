"""Traces and metrics for an OpenTelemetry collector, where `OTEL_EXPORTER_OTLP_ENDPOINT` names one.

A process begins with `exporting`; from then on each `span` in it is exported, whatever module it is in, as a log line
finds its way from wherever it is written. Without an endpoint nothing of OpenTelemetry is imported, and a span is a
few assignments: it then still carries a caller's `traceparent` on, from the request through the job to its process,
and puts its trace's id into the log lines.
"""

from perfcast.telemetry._export import Exporting, exporting
from perfcast.telemetry._push import MetricsPush
from perfcast.telemetry._requests import RequestTraces, trace_header
from perfcast.telemetry._spans import Attributes, Span, span, trace_parent

__all__ = [
    "Attributes",
    "Exporting",
    "MetricsPush",
    "RequestTraces",
    "Span",
    "exporting",
    "span",
    "trace_header",
    "trace_parent",
]
