"""Spans reach a collector where there is one, and carry callers' traces on where there is none."""

import subprocess
import sys

import pytest
from structlog.contextvars import get_contextvars
from tests.collector import exported_to_collector
from tests.patience import PATIENCE_SECONDS
from tests.services import free_port

from perfcast.errors import InvalidSetting, MissingDependency
from perfcast.settings import load_settings
from perfcast.telemetry import exporting, span, trace_parent
from perfcast.telemetry._requests import RequestTraces, _share
from perfcast.telemetry._spans import read

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-00"


def test_without_a_collector_a_callers_trace_is_carried_on_and_stands_in_log_lines() -> None:
    assert trace_parent() is None
    with span("request", parent=SAMPLED), span("within"):
        assert trace_parent() == SAMPLED
        assert get_contextvars() == {"trace_id": TRACE, "span_id": CALLER}
    assert (trace_parent(), get_contextvars()) == (None, {})


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (SAMPLED, (TRACE, CALLER, True)),
        (UNSAMPLED, (TRACE, CALLER, False)),
        (f"cc-{TRACE}-{CALLER}-09-what-later-versions-add", (TRACE, CALLER, True)),
        (f"00-{TRACE}-{CALLER}-01-more", None),
        (f"ff-{TRACE}-{CALLER}-01", None),
        (f"00-{'0' * 32}-{CALLER}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (SAMPLED.upper(), None),
        ("", None),
        ("x" * 10_000, None),
    ],
)
def test_a_traceparent_is_read_as_the_standard_says(header: str, known: object) -> None:
    assert read(header) == known


def test_a_parent_that_is_none_is_left_out() -> None:
    with span("request", parent="nonsense"):
        assert trace_parent() is None


def test_nothing_of_opentelemetry_is_imported_without_an_endpoint() -> None:
    code = (
        "import sys; from perfcast.telemetry import exporting, span; from perfcast.settings import load_settings\n"
        "with exporting(load_settings(), 'tried') as exported:\n"
        "    assert exported is None\n"
        f"    with span('a', parent='{SAMPLED}') as traced: traced.set('b', 1); traced.fail('c')\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=PATIENCE_SECONDS, env={"PYTHONPATH": ":".join(sys.path)}
    )


def test_spans_reach_the_collector_within_each_other_before_the_block_has_ended(monkeypatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=shop")
    with exported_to_collector() as (received, _):
        with span("outer", parent=SAMPLED, kind="server", attributes={"a": 1, "b": None}) as outer:
            outer.set("c", "d")
            with span("inner"):
                carried = trace_parent()
        with pytest.raises(ValueError, match="broke"), span("failing"):
            raise ValueError("broke")
    found = {one.name: one for one in received.spans}
    assert set(found) == {"outer", "inner", "failing"}
    assert (found["outer"].trace, found["outer"].parent, found["outer"].kind) == (TRACE, CALLER, 2)
    assert found["outer"].attributes == {"a": 1, "c": "d"}
    assert (found["inner"].trace, found["inner"].parent) == (TRACE, found["outer"].id)
    assert carried == f"00-{TRACE}-{found['inner'].id}-01"
    assert [one.failed for one in found.values()].count(True) == 1
    assert found["failing"].failed
    assert found["failing"].trace != TRACE
    assert {one.service for one in received.spans} == {"tried"}
    assert received.headers[0]["x-team"] == "shop"


def test_what_the_environment_calls_the_service_wins(monkeypatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "the shop's own")
    with exported_to_collector() as (received, _), span("one"):
        pass
    assert received.spans[0].service == "the shop's own"


def test_the_sampler_of_the_environment_decides(monkeypatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_always_off")
    with exported_to_collector() as (received, _):
        with span("of nobody"):
            known = read(trace_parent() or "")
        assert known is not None
        assert not known[2]
        with span("of a caller who traces", parent=SAMPLED):
            pass
    assert [one.name for one in received.spans] == ["of a caller who traces"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_METRICS_EXPORTER", "none")],
)
def test_what_is_switched_off_is_not_exported(monkeypatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with exporting(load_settings(otel_exporter_otlp_endpoint="http://127.0.0.1:9"), "tried") as exported:
        if name == "OTEL_SDK_DISABLED":
            assert exported is None
        else:
            assert exported is not None
            off, on = (exported.spans, exported.metrics)[:: 1 if "TRACES" in name else -1]
            assert (off is None, on is None) == (True, False)


@pytest.mark.parametrize(
    ("endpoint", "protocol", "told"),
    [
        ("collector:4318", "", "OTEL_EXPORTER_OTLP_ENDPOINT: must begin with http://.*'collector:4318/v1/traces'"),
        ("grpc://me:pw@collector:4317", "", "must begin with http:// .*got 'collector:4317/v1/traces'"),
        ("http://collector:4317", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' is not spoken here"),
    ],
)
def test_what_cant_be_used_is_refused_by_its_variable(monkeypatch, endpoint: str, protocol: str, told: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    with (
        pytest.raises(InvalidSetting, match=told),
        exporting(load_settings(otel_exporter_otlp_endpoint=endpoint), "tried"),
    ):
        pass


def test_a_missing_extra_is_named_with_the_command_that_brings_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", None)
    settings = load_settings(otel_exporter_otlp_endpoint="http://127.0.0.1:9")
    with pytest.raises(MissingDependency, match=r"pip install 'perfcast\[otel\]'"), exporting(settings, "tried"):
        pass


def test_an_endpoint_that_is_gone_holds_up_the_end_for_two_seconds_at_most() -> None:
    code = (
        "import sys; from perfcast.telemetry import exporting, span; from perfcast.settings import load_settings\n"
        f"with exporting(load_settings(otel_exporter_otlp_endpoint='http://127.0.0.1:{free_port()}'), 'tried'):\n"
        "    with span('lost'): pass"
    )
    environment = {"PYTHONPATH": ":".join(sys.path), "OTEL_EXPORTER_OTLP_TIMEOUT": "3600"}
    ended = subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_SECONDS, env=environment, check=False)
    assert ended.returncode == 0


@pytest.mark.parametrize(
    ("sampler", "argument", "share"),
    [
        ("", "", 0.0),
        ("always_on", "", 1.0),
        ("parentbased_always_on", "", 1.0),
        ("always_off", "", 0.0),
        ("parentbased_always_off", "", 0.0),
        ("traceidratio", "0.25", 0.25),
        ("parentbased_traceidratio", "0.25", 0.25),
        ("traceidratio", "", 1.0),
        ("traceidratio", "7", 1.0),
        ("traceidratio", "much", 1.0),
    ],
)
def test_the_share_of_predictions_that_are_traced_is_the_samplers(sampler: str, argument: str, share: float) -> None:
    assert _share({"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}) == share


def test_predictions_are_traced_whose_callers_trace_them() -> None:
    headers = {name: [(b"host", b"x"), (b"traceparent", name.encode())] for name in (SAMPLED, UNSAMPLED, "nonsense")}
    with exported_to_collector() as (received, exported):
        traces = RequestTraces(exported)
        for given in (*headers.values(), []):
            traces.answered("POST", "/predict", 200, 0.5, given, "the request's id")
    (one,) = received.spans
    assert (one.name, one.trace, one.parent, one.kind) == ("POST /predict", TRACE, CALLER, 2)
    assert one.attributes["perfcast.request_id"] == "the request's id"
    assert 0.499 < one.seconds < 0.501


def test_a_share_of_predictions_is_traced_where_the_sampler_asks_for_it(monkeypatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.1")
    with exported_to_collector() as (received, exported):
        traces = RequestTraces(exported)
        for _ in range(1000):
            traces.answered("POST", "/predict", 200, 0.5, [], "r")
    assert 40 < len(received.spans) < 200  # 100 on average, give or take six standard deviations
    assert len({one.trace for one in received.spans}) == len(received.spans)
