"""What is sent again, what is not, and how long is waited."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.services import free_port
from tests.unit.client.conftest import Answer, Scripted

from perfcast_client import (
    AsyncClient,
    Client,
    ConnectionFailed,
    NotReady,
    Raw,
    ServerError,
    TimedOut,
    TooManyRequests,
    calls,
)
from perfcast_client._sending._exchange import Exchange
from perfcast_client._sending._options import Options, Server
from perfcast_client._sending._pauses import growing

Problem = Callable[..., Answer]
HALF = Answer(body=b'{"status"', announced=1000)
JOB = Answer(
    202,
    b"""{"job_id": "j", "status": "queued", "progress": 0, "trial": 0, "n_trials": 20, "attempt": 0,
    "created_at": "2026-03-01T10:30:00.000000Z", "model_name": "m", "workload": "w", "dataset": "d", "families": [],
    "promote": "auto", "seed": 0, "cancel_requested": false, "spent_seconds": 0}""",
)


@pytest.fixture(params=["blocking", "awaited"])
def send(request: pytest.FixtureRequest, scripted: Scripted) -> Callable[..., Raw[Any]]:
    """Sends a call with either client."""

    def blocking(call: calls.Call[Any], **options: Any) -> Raw[Any]:
        with Client(scripted.url, **options) as client:
            return client.raw(call)

    async def awaited(call: calls.Call[Any], **options: Any) -> Raw[Any]:
        async with AsyncClient(scripted.url, **options) as client:
            return await client.raw(call)

    return blocking if request.param == "blocking" else lambda *call, **options: asyncio.run(awaited(*call, **options))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_asked_again(
    scripted: Scripted, problem: Problem, send: Callable[..., Raw[Any]], status: int
) -> None:
    scripted.answers = [problem(status, headers={"Retry-After": "0"}), None, Answer()]
    answer = send(calls.live())
    assert (answer.value.status, answer.retries, len(scripted.asked)) == ("alive", 2, 3)


def test_what_broke_in_the_middle_of_its_body_is_asked_again(scripted: Scripted, send: Callable[..., Raw[Any]]) -> None:
    scripted.answers = [HALF, Answer()]
    assert send(calls.live()).retries == 1


def test_after_the_last_try_the_caller_is_told(
    scripted: Scripted, problem: Problem, send: Callable[..., Raw[Any]]
) -> None:
    scripted.answers = [problem(429, headers={"Retry-After": "0"})]
    with pytest.raises(TooManyRequests, match=r"GET http://.*/livez: 429: so it is \(request 1a21\)"):
        send(calls.live())
    assert len(scripted.asked) == 3
    scripted.answers = [HALF]
    with pytest.raises(ConnectionFailed, match="broke before the whole answer had come"):
        send(calls.live(), max_retries=1)
    assert len(scripted.asked) == 5


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_a_refusal_that_stays_is_told_at_once(
    scripted: Scripted, problem: Problem, send: Callable[..., Raw[Any]], status: int
) -> None:
    scripted.answers = [problem(status)]
    with pytest.raises(ServerError if status == 500 else Exception, match="so it is"):
        send(calls.live())
    assert len(scripted.asked) == 1


@pytest.mark.parametrize(
    "call",
    [calls.cancel_job("j"), calls.activate("m:2"), calls.deactivate("m"), calls.set_alias("m", "shadow", 2, expect=1)],
)
def test_what_may_have_been_carried_out_is_not_sent_again(
    scripted: Scripted, problem: Problem, send: Callable[..., Raw[Any]], call: calls.Call[Any]
) -> None:
    scripted.answers = [problem(503)]
    with pytest.raises(NotReady):
        send(call)
    scripted.answers = [HALF]
    with pytest.raises(ConnectionFailed):
        send(call)
    assert len(scripted.asked) == 2


def test_but_surely_was_not_when_the_server_had_too_many(
    scripted: Scripted, problem: Problem, send: Callable[..., Raw[Any]]
) -> None:
    scripted.answers = [problem(429, headers={"Retry-After": "0"}), JOB]
    assert send(calls.cancel_job("j")).retries == 1


def test_a_job_is_submitted_again_under_the_same_key_and_each_has_its_own(
    scripted: Scripted, send: Callable[..., Raw[Any]]
) -> None:
    scripted.answers = [HALF, JOB]
    assert send(calls.train()).value.job_id == "j"
    send(calls.train())
    first, again, other = (asked.headers["idempotency-key"] for asked in scripted.asked)
    assert first == again
    assert first != other


def test_a_key_of_the_callers_own_is_sent(scripted: Scripted) -> None:
    scripted.answers = [JOB]
    with Client(scripted.url) as client:
        client.with_options(idempotency_key="night 7").train()
    assert scripted.asked[0].headers["idempotency-key"] == "night 7"


def test_nothing_within_the_timeout_is_told_and_not_asked_again() -> None:
    told = "nothing came for 30 s; give it a longer timeout"
    with Client("http://shop", transport=Silent()) as client, pytest.raises(TimedOut, match=told):
        client.live()


class Silent(httpx2.BaseTransport):
    """Never answers, and that once."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert not hasattr(self, "asked")
        self.asked = request
        raise httpx2.ReadTimeout("")


def test_nobody_there_says_where_and_what_to_do() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url, max_retries=0) as client, pytest.raises(ConnectionFailed, match=f"{url} doesn't answer .*up"):
        client.live()


def exchange(answer: httpx2.Response, max_retries: int = 2) -> "float | Raw[Any]":
    tried = Exchange(calls.live(), Server.of("http://shop", ""), Options(max_retries=max_retries))
    return tried.answered(answer)


def test_retry_after_is_obeyed_in_seconds_and_as_a_date() -> None:
    assert exchange(httpx2.Response(503, headers={"Retry-After": "7"})) == 7.0
    late = exchange(httpx2.Response(429, headers={"Retry-After": "Sun, 01 Mar 2026 10:30:00 GMT"}))
    assert late == 0.0
    for header in ("soon", "\u00b2"):
        odd = exchange(httpx2.Response(429, headers=[(b"Retry-After", header.encode("latin-1"))]))
        assert isinstance(odd, float)
        assert 0 < odd < 1


def test_a_server_that_wants_to_be_left_alone_for_long_is() -> None:
    with pytest.raises(TooManyRequests) as refused:
        exchange(httpx2.Response(429, headers={"Retry-After": "3600"}))
    assert refused.value.retry_after == 3600


def test_pauses_grow_up_to_a_bound_and_no_two_callers_keep_step() -> None:
    assert len({growing(3) for _ in range(20)}) > 10
    for attempt, longest in ((0, 0.25), (1, 0.5), (4, 4.0), (30, 8.0)):
        assert longest / 2 <= growing(attempt) <= longest
