"""What receives traces and metrics in tests: OTLP over HTTP, decoded by the protocol's own definitions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from perfcast.settings import load_settings
from perfcast.telemetry import Exporting, exporting


@dataclass(frozen=True)
class ReceivedSpan:
    """One span, with the service that it came from."""

    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    failed: bool
    seconds: float


@dataclass
class Collector:
    """An endpoint and all that came to it."""

    endpoint: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)
    pushes: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    """Of each push the resource's attributes and the metrics by name."""
    headers: list[dict[str, str]] = field(default_factory=list)

    def named(self, name: str) -> list[ReceivedSpan]:
        return [span for span in self.spans if span.name == name]

    def receive(self, path: str, body: bytes) -> bytes:
        if path.endswith("/v1/traces"):
            for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                service = attributes(group.resource.attributes)["service.name"]
                self.spans += [received(service, span) for scope in group.scope_spans for span in scope.spans]
            return ExportTraceServiceResponse().SerializeToString()
        assert path.endswith("/v1/metrics"), path
        for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            found = {metric.name: metric for scope in group.scope_metrics for metric in scope.metrics}
            self.pushes.append((attributes(group.resource.attributes), found))
        return ExportMetricsServiceResponse().SerializeToString()


def received(service: str, span: Any) -> ReceivedSpan:
    seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
    about = attributes(span.attributes)
    return ReceivedSpan(service, span.name, span.kind, *ids, about, span.status.code == 2, seconds)


def attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@contextmanager
def collector() -> Iterator[Collector]:
    """A collector on loopback."""
    held = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            held.headers.append(dict(self.headers))
            answer = held.receive(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def exported_to_collector(service: str = "tried") -> Iterator[tuple[Collector, Exporting]]:
    """A process's export to a collector; all of it has come when the block has ended."""
    with collector() as received:
        settings = load_settings(otel_exporter_otlp_endpoint=received.endpoint)
        with exporting(settings, service) as exported:
            assert exported is not None
            yield received, exported
