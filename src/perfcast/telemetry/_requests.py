"""Spans of single predictions: of thousands a second few are traced, the others cost next to nothing."""

import os
import random
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from perfcast.telemetry._export import Exporting
from perfcast.telemetry._spans import context_of, read

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


class RequestTraces:
    """Traces requests whose caller traces them, and a share of the others.

    The share is that of `OTEL_TRACES_SAMPLER`: 1 for `always_on`, the argument's for `traceidratio`, and none where
    it isn't set, since a span of each prediction would cost more than the prediction.
    """

    def __init__(self, exported: Exporting) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased

        self._share = _share(os.environ)
        # what is asked for a span has been chosen already
        provider = TracerProvider(ParentBased(ALWAYS_ON), exported.resource, shutdown_on_exit=False)
        if exported.spans is not None:
            provider.add_span_processor(exported.spans)
        self._tracer: Tracer = provider.get_tracer("perfcast")

    def chosen(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The `traceparent` of a request that is to be traced, empty where it has none; None for any other request."""
        parent = trace_header(headers)
        if parent is not None:
            known = read(parent)
            if known is not None:
                return parent if known[2] else None
        return "" if self._share and random.random() < self._share else None

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
        parent = self.chosen(headers)
        if parent is not None:
            about: dict[str, str | int] = {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
            }
            self.record(f"{method} {route}", parent, seconds, about | {"perfcast.request_id": request_id})

    def record(self, name: str, parent: str, seconds: float, attributes: Mapping[str, str | int]) -> None:
        """A span that has ended just now."""
        from opentelemetry.trace import SpanKind

        end = time.time_ns()
        context = context_of(parent) if parent else None
        started = self._tracer.start_span(
            name, context, SpanKind.SERVER, attributes, start_time=end - int(seconds * 1e9)
        )
        started.end(end)


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
