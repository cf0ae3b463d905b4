"""Spans: what took how long within what, across threads and processes."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from structlog.contextvars import bound_contextvars

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

Attributes: TypeAlias = Mapping[str, str | float | None]
"""What is said about a span; None means unknown."""
Kind: TypeAlias = Literal["internal", "server", "consumer"]
_FORM = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
"""W3C Trace Context, Level 1, section 3.2: version, trace id, parent id, flags; a later version may have more."""
_here: ContextVar[str | None] = ContextVar("perfcast_trace_parent", default=None)


class _Process:
    """What exports this process's spans; None where nobody does."""

    tracer: "Tracer | None" = None


PROCESS = _Process()


class Span:
    """A span that is going on; telling it something costs nothing where nobody hears it."""

    def __init__(self, started: Any = None) -> None:
        self._started = started

    def set(self, name: str, value: str | float | None) -> None:
        """Say something about it."""
        if self._started is not None and value is not None:
            self._started.set_attribute(name, value)

    def rename(self, name: str) -> None:
        """Call it otherwise."""
        if self._started is not None:
            self._started.update_name(name)

    def fail(self, reason: str) -> None:
        """Say that what it is about failed."""
        if self._started is not None:
            from opentelemetry.trace import StatusCode

            self._started.set_status(StatusCode.ERROR, reason)


@contextmanager
def span(
    name: str, *, parent: str | None = None, kind: Kind = "internal", attributes: Attributes | None = None
) -> Iterator[Span]:
    """What is done within is a span; an error that leaves it makes it a failed one.

    Args:
        name: Of few kinds; what differs each time is an attribute.
        parent: W3C `traceparent` of what it belongs to; by default the span around it.
        kind: `server` answers a request, `consumer` does what was queued.
        attributes: What is known at its begin.
    """
    parent = parent if read(parent) else None
    if PROCESS.tracer is None:
        with _known_as(parent or _here.get()):
            yield Span()
        return
    from opentelemetry.trace import SpanKind, use_span

    given = {key: value for key, value in (attributes or {}).items() if value is not None}
    context = context_of(parent) if parent is not None else None
    started = PROCESS.tracer.start_span(name, context, SpanKind[kind.upper()], given)
    own = started.get_span_context()
    here = f"00-{own.trace_id:032x}-{own.span_id:016x}-{int(own.trace_flags):02x}"
    with use_span(started, end_on_exit=True), _known_as(here):
        yield Span(started)


def trace_parent() -> str | None:
    """W3C `traceparent` for what is begun from here; None where nothing is traced."""
    return _here.get()


def read(parent: str | None) -> tuple[str, str, bool] | None:
    """Trace id, span id and whether it is sampled, of a W3C `traceparent`; None where it is none."""
    found = _FORM.fullmatch(parent or "")
    if found is None or found[0].startswith("ff") or (found[4] and found[0].startswith("00")):
        return None
    return found[1], found[2], bool(int(found[3], 16) & 1)


def context_of(parent: str) -> "Context":
    """OpenTelemetry's context of a `traceparent` that `read` has found good."""
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    known = read(parent)
    assert known is not None
    trace, within, sampled = known
    context = SpanContext(int(trace, 16), int(within, 16), is_remote=True, trace_flags=TraceFlags(int(sampled)))
    return set_span_in_context(NonRecordingSpan(context))


@contextmanager
def _known_as(here: str | None) -> Iterator[None]:
    """Have it said in log lines, and to what is begun from here."""
    known = read(here)
    if known is None:
        yield
        return
    token = _here.set(here)
    try:
        with bound_contextvars(trace_id=known[0], span_id=known[1]):
            yield
    finally:
        _here.reset(token)
