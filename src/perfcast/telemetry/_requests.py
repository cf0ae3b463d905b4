"""Spans of single predictions: of thousands a second few are traced, the others cost next to nothing."""

import os
import random
import time
from collections.abc import Iterable, Mapping

from perfcast.telemetry._export import Exporting
from perfcast.telemetry._spans import context_of, read


class RequestTraces:
    """Traces requests whose caller traces them, and a share of the others.

    The share is that of `OTEL_TRACES_SAMPLER`: 1 for `always_on`, the argument's for `traceidratio`, and none where
    it isn't set, since a span of each prediction would cost more than the prediction.
    """

    def __init__(self, exported: Exporting) -> None:
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased

        self._share = _share(os.environ)
        # what is asked for a span has been chosen already
        self._tracer = exported.provider(ParentBased(ALWAYS_ON)).get_tracer("perfcast")

    def answered(
        self,
        method: str,
        route: str,
        status: int,
        seconds: float,
        headers: Iterable[tuple[bytes, bytes]],
        request_id: str,
    ) -> None:
        """Trace a request that was answered just now, if it is chosen."""
        parent = self._chosen(headers)
        if parent is None:
            return
        from opentelemetry.trace import SpanKind

        about: dict[str, str | int] = {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
            "perfcast.request_id": request_id,
        }
        context = context_of(parent) if parent else None
        end = time.time_ns()
        begin = end - int(seconds * 1e9)
        started = self._tracer.start_span(f"{method} {route}", context, SpanKind.SERVER, about, start_time=begin)
        started.end(end)

    def _chosen(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The `traceparent` of a request that is to be traced, empty where it has none; None for any other request."""
        parent = trace_header(headers)
        if known := read(parent):
            return parent if known[2] else None
        return "" if self._share and random.random() < self._share else None


def trace_header(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The `traceparent` header; names are in lower case."""
    for name, value in headers:
        if name == b"traceparent":
            return value.decode("latin-1")
    return None


def _share(environment: Mapping[str, str]) -> float:
    sampler = environment.get("OTEL_TRACES_SAMPLER", "").strip().lower().removeprefix("parentbased_")
    if sampler == "traceidratio":
        try:
            return min(1.0, max(0.0, float(environment.get("OTEL_TRACES_SAMPLER_ARG", "").strip() or 1.0)))
        except ValueError:
            return 1.0  # as the standard says of what can't be read
    return float(sampler == "always_on")
