"""What a process exports with, as the standard `OTEL_*` variables say."""

import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from perfcast.errors import InvalidSetting, MissingDependency
from perfcast.settings import Settings
from perfcast.telemetry._spans import PROCESS

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.sampling import Sampler

CLOSING_SECONDS = 2.0
"""How long the end of a process waits for what is still to be exported."""
_QUIET_SECONDS = 60.0
_BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PATHS = {"TRACES": "v1/traces", "METRICS": "v1/metrics"}


@dataclass(frozen=True)
class Exporting:
    """How this process exports.

    Attributes:
        resource: What it calls itself.
        spans: Takes finished spans; None where traces go nowhere.
        metrics: Sends metrics; None where they go nowhere.
    """

    resource: "Resource"
    spans: "SpanProcessor | None"
    metrics: "MetricExporter | None"

    def provider(self, sampler: "Sampler | None" = None) -> "TracerProvider":
        """What makes the spans, sampled as `OTEL_TRACES_SAMPLER` says if no other sampler is given."""
        from opentelemetry.sdk.trace import TracerProvider

        made = TracerProvider(sampler, self.resource, shutdown_on_exit=False)
        if self.spans is not None:
            made.add_span_processor(self.spans)
        return made


@contextmanager
def exporting(settings: Settings, service: str) -> Iterator[Exporting | None]:
    """Export spans until the end of the block, which waits two seconds at most for those that are left.

    Args:
        settings: Whether there is anybody to export to.
        service: What this process is called unless `OTEL_SERVICE_NAME` says otherwise.

    Raises:
        InvalidSetting: A protocol is wanted that isn't there.
        MissingDependency: The extra `otel` is not installed.
    """
    places = _places(settings.otel_exporter_otlp_endpoint)
    if not places:
        yield None
        return
    exported = _prepared(places, service)
    provider = exported.provider()
    PROCESS.tracer = provider.get_tracer("perfcast") if exported.spans else None
    try:
        yield exported
    finally:
        PROCESS.tracer = None
        # each in a thread that is left behind where nobody answers: the process shall end
        ends = [part.shutdown for part in (provider, exported.metrics) if part is not None]
        threads = [Thread(target=end, daemon=True) for end in ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(CLOSING_SECONDS)


def _places(endpoint: str) -> dict[str, str]:
    """Where each signal goes; without those that go nowhere."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return {}
    places = {}
    for signal, path in _PATHS.items():
        own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "").strip()
        place = own or (f"{endpoint.rstrip('/')}/{path}" if endpoint.strip() else "")
        if place and os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp").strip().lower() != "none":
            _check(signal, place)
            places[signal] = place
    return places


def _check(signal: str, place: str) -> None:
    if not place.startswith(("http://", "https://")):
        shown = place.rpartition("@")[2]  # without a password
        raise InvalidSetting(f"{_BASE}: must begin with http:// or https://, got {shown!r}; http://collector:4318")
    for name in (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = os.environ.get(name, "").strip() or "http/protobuf"
        if protocol != "http/protobuf":
            raise InvalidSetting(f"{name}: {protocol!r} is not spoken here; http/protobuf is (port 4318, mostly)")


def _prepared(places: Mapping[str, str], service: str) -> Exporting:
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingDependency(
            f"{_BASE} is set, which needs '{error.name}': pip install 'perfcast[otel]', or take the setting away"
        ) from None
    for exporter in (OTLPSpanExporter, OTLPMetricExporter):
        logging.getLogger(exporter.__module__).addFilter(_Seldom())
    traces, metrics = places.get("TRACES"), places.get("METRICS")
    return Exporting(
        resource=_resource(service),
        spans=BatchSpanProcessor(OTLPSpanExporter(endpoint=traces)) if traces else None,
        metrics=OTLPMetricExporter(endpoint=metrics) if metrics else None,
    )


class _Seldom(logging.Filter):
    """Lets one line of each level a minute through: an endpoint that is gone fails every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._again: dict[int, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        if now < self._again.get(record.levelno, 0.0):
            return False
        self._again[record.levelno] = now + _QUIET_SECONDS
        return True


def _resource(service: str) -> "Resource":
    """What the process calls itself; what the environment says about it wins."""
    from opentelemetry.sdk.resources import Resource

    from perfcast import __version__

    ours = {
        "service.name": service,
        "service.version": __version__,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
    }
    said = Resource.create()
    unsaid = {
        name: value
        for name, value in ours.items()
        if name not in said.attributes or str(said.attributes[name]).startswith("unknown_service")
    }
    return said.merge(Resource(unsaid))
