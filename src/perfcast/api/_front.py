"""The bare ASGI callable in front of FastAPI.

Measured with 16 connections, a route of FastAPI costs four to five times what this callable does (DESIGN §6), so
`POST /predict` is answered here and everything else behind. Both get the same request ids, limits, problem details and
metrics.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TypeAlias

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from perfcast.api._services import Services
from perfcast.api.access import reason_of
from perfcast.api.http._bodies import UPLOAD_BYTES, Arrival, check_length, is_upload, may_be_packed, read_body
from perfcast.api.http._identifiers import REQUEST_ID, caller_key, caller_of, given_request_id, key_of
from perfcast.api.http._lanes import PROBES, Lane, Lanes
from perfcast.api.http._problems import Compressed, Disconnected, Overloaded, Problem, TooLarge, TooSlow, problem_of
from perfcast.api.http._reply import refusal
from perfcast.api.predict import UNKNOWN
from perfcast.logs import RequestLines
from perfcast.telemetry import RequestTraces, Span, span, trace_header

PREDICT = "/predict"
REFUSED = "refused"
"""The metrics' route of what the gate refused: no route was looked for."""
BATCH = "/predict/batch"
FEEDBACK = "/feedback"
_ANSWERED = "perfcast.answered"
"""Key in an ASGI scope of when the answer began: one that goes on for long, such as a job's events, isn't slow."""
_UNTRACED = frozenset({"/", "/health", "/livez", "/readyz", "/metrics"})
_JSON = (b"content-type", b"application/json")
_FORM = (b"content-type", b"application/x-www-form-urlencoded")

_Answering: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[int]]

log = structlog.stdlib.get_logger("perfcast.api")


class Front:
    """The application as the server sees it.

    A `POST /predict` that can be answered at once need not come as an ASGI call: see `at_once` and `server/_direct`.
    """

    def __init__(self, app: ASGIApp, services: Services, traces: RequestTraces | None = None) -> None:
        settings = services.settings
        self._traces = traces
        self._app, self._gate, self._predict = app, services.gate, services.predict
        self._lifetime, self._tally, self._identifiers = services.lifetime, services.tally, services.identifiers
        self._seen = services.callers.seen
        self._limit, self._patience = settings.max_body_bytes, settings.request_timeout_seconds
        self._lanes = Lanes(settings.max_concurrency, settings.max_heavy_concurrency)
        self._lines = RequestLines(settings.log_slow_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass on what is none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        self._tally.in_flight += 1
        try:
            refused = None if self._gate is None else await self._gate.admit(scope)
            if refused is not None:
                self._tally.refuse(reason_of(refused))
                status = await _tell(refused, self._request_id(scope), scope, receive, send)
                route = REFUSED
            elif scope["path"] == PREDICT and scope["method"] == "POST":
                status = await self._take(self._lanes.predictions, self._answer, scope, receive, send)
                route = PREDICT
            else:
                status = await self._take(self._lanes.of(scope["path"]), self._pass_on, scope, receive, send)
                route = _route_of(scope)
            self._tally.request(route, scope["method"], status, time.perf_counter() - began)
            if refused is None and scope["path"] not in PROBES:
                self._seen(caller_of(scope))
            if route == PREDICT and self._traces is not None:
                spent = time.perf_counter() - began
                self._traces.answered("POST", PREDICT, status, spent, scope["headers"], self._request_id(scope))
            seconds = scope.get(_ANSWERED, time.perf_counter()) - began
            self._lines.tell(scope["method"], scope["path"], status, seconds, self._request_id(scope))
        finally:
            self._tally.in_flight -= 1

    def at_once(
        self, headers: Sequence[tuple[bytes, bytes]], client: tuple[str, int] | None, body: bytes | bytearray
    ) -> tuple[bytes, bytes] | None:
        """Answer a whole `POST /predict` if that needs nothing but what is in memory, else change nothing.

        Args:
            headers: The request's, names in lower case.
            client: Address of the caller.
            body: The whole body.

        Returns:
            Further header lines, each ended by CRLF, and the answer; None where the call must go its usual way.
        """
        if len(body) > self._limit or self._lifetime.draining:
            return None
        for name, _ in headers:
            if name == b"content-encoding":
                return None
        caller = client[0] if client else ""
        if self._gate is not None and not (caller := self._gate.passes(headers, client)):
            return None
        began = time.perf_counter()
        own_id = self._identifiers.next()
        answer = self._predict.at_once(body, own_id, lambda: caller_key(headers, caller))
        if answer is None:
            return None
        if self._gate is not None:
            self._gate.count(caller)
        request_id = given_request_id(headers) or own_id
        self._seen(caller)
        seconds = time.perf_counter() - began
        self._tally.request(PREDICT, "POST", 200, seconds)
        if self._traces is not None:
            self._traces.answered("POST", PREDICT, 200, seconds, headers, request_id)
        return b"x-request-id: %b\r\n" % request_id.encode(), answer

    async def _take(self, lane: Lane, answer: _Answering, scope: Scope, receive: Receive, send: Send) -> int:
        """Answer if the lane has a place, and not for longer than a body may take to come; gives the status."""
        refused = 0

        async def refuse(error: TooSlow | Overloaded) -> None:
            nonlocal refused
            if isinstance(error, Overloaded):
                self._tally.refuse("overload")
                if scope["path"] == PREDICT:
                    self._tally.failed(UNKNOWN, "overloaded")
            refused = await _tell(problem_of(error), self._request_id(scope), scope, receive, send)

        async def send_unless_refused(message: Message) -> None:
            if not refused:
                await send(message)

        try:
            with lane.place():
                status = await answer(scope, Arrival(receive, self._patience, refuse), send_unless_refused)
        except Overloaded as error:
            await refuse(error)
            status = refused
        return refused or status

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> int:
        headers = scope["headers"]
        own_id = self._identifiers.next()
        request_id = scope[REQUEST_ID] = given_request_id(headers) or own_id
        try:
            body = await read_body(headers, receive, self._limit)
        except (TooLarge, Compressed) as error:
            return await _tell(problem_of(error), request_id, scope, receive, send)
        except Disconnected:
            return 499
        answer = await self._predict(body, request_id, own_id, partial(key_of, scope))
        if not isinstance(answer, bytes):
            return await _tell(answer, request_id, scope, receive, send)
        start = {
            "type": "http.response.start",
            "status": 200,
            "headers": [_JSON, (b"content-length", b"%d" % len(answer)), (b"x-request-id", request_id.encode())],
        }
        await send(start)
        await send({"type": "http.response.body", "body": answer})
        return 200

    def _span(self, scope: Scope, request_id: str) -> AbstractContextManager[Span]:
        """What is traced of a request that isn't a single prediction; nothing of those that ask all the time."""
        if scope["path"] in _UNTRACED:
            return nullcontext(Span())
        about = {"http.request.method": scope["method"], "url.path": scope["path"][:200]}
        about["perfcast.request_id"] = request_id
        return span(scope["method"], parent=trace_header(scope["headers"]), kind="server", attributes=about)

    def _request_id(self, scope: Scope) -> str:
        if REQUEST_ID not in scope:
            scope[REQUEST_ID] = given_request_id(scope["headers"]) or self._identifiers.next()
        return str(scope[REQUEST_ID])

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> int:
        request_id = self._request_id(scope)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status, scope[_ANSWERED] = message["status"], time.perf_counter()
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            if scope["path"] not in (BATCH, FEEDBACK):  # which have a limit of their own, and tell it
                limit = max(self._limit, UPLOAD_BYTES) if is_upload(scope["path"]) else self._limit
                check_length(scope["headers"], limit, packed=may_be_packed(scope["path"]))
            # `curl -d` calls any body a form. No route takes forms, so such a body is read as the JSON it must be
            scope["headers"] = [_JSON if header == _FORM else header for header in scope["headers"]]
            with bound_contextvars(request_id=request_id), self._span(scope, request_id) as traced:
                await self._app(scope, receive, send_with_id)
                traced.rename(f"{scope['method']} {_route_of(scope)}")
                traced.set("http.route", _route_of(scope))
                traced.set("http.response.status_code", status)
                if status >= 500:
                    traced.fail(f"answered with {status}")
        except (TooLarge, Compressed) as error:
            return await _tell(problem_of(error), request_id, scope, receive, send)
        except Exception as error:
            log.exception("request failed", request_id=request_id, path=scope["path"])
            if not status:
                return await _tell(problem_of(error), request_id, scope, receive, send)
        log.debug("request", request_id=request_id, method=scope["method"], path=scope["path"], status=status)
        return status


def _route_of(scope: Scope) -> str:
    """The route's template, never the raw path."""
    return getattr(scope.get("route"), "path", None) or "unmatched"


async def _tell(problem: Problem, request_id: str, scope: Scope, receive: Receive, send: Send) -> int:
    await refusal(problem, request_id, {"X-Request-ID": request_id})(scope, receive, send)
    return problem.status
