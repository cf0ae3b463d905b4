"""What a watcher sees when streams end, break, are refused, or tell nothing."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.client.conftest import Answer, Scripted
from tests.unit.client.test_retries import JOB

from perfcast_client import AsyncClient, Client, ConnectionFailed, NotFound, TimedOut, UnreadableAnswer
from perfcast_client.answers import JobDetails

Problem = Callable[..., Answer]
Watch = Callable[..., list[JobDetails]]


def job(status: str = "running", trial: int = 0) -> Answer:
    return Answer(body=json.dumps(json.loads(JOB.body) | {"status": status, "trial": trial, "trials": []}).encode())


def stream(*answers: Answer, end: bytes = b"", announced: int | None = None) -> Answer:
    events = [b"event: job\ndata: " + answer.body + b"\n\n" for answer in answers]
    body = b"retry: 2000\n\n" + b"".join(events) + end
    return Answer(body=body, headers={"Content-Type": "text/event-stream"}, announced=announced)


DONE = b"event: done\ndata: {}\n\n"


@pytest.fixture(params=["blocking", "awaited"])
def watch(request: pytest.FixtureRequest, scripted: Scripted) -> Watch:
    """All that either client sees of job `j`."""

    def blocking(**given: Any) -> list[JobDetails]:
        with Client(scripted.url, max_retries=0) as client:
            return list(client.jobs.watch("j", **given))

    async def awaited(**given: Any) -> list[JobDetails]:
        async with AsyncClient(scripted.url, max_retries=0) as client:
            return [state async for state in client.jobs.watch("j", **given)]

    return blocking if request.param == "blocking" else lambda **given: asyncio.run(awaited(**given))


def seen(states: list[JobDetails]) -> list[tuple[str, int]]:
    return [(state.status, state.trial) for state in states]


def test_each_news_comes_once_and_the_last_is_how_it_ended(scripted: Scripted, watch: Watch) -> None:
    scripted.answers = [job(), stream(job(), job(trial=1), job("succeeded", 2), end=DONE)]
    assert seen(watch()) == [("running", 0), ("running", 1), ("succeeded", 2)]
    assert [asked.path for asked in scripted.asked] == ["/jobs/j", "/jobs/j/events"]


def test_a_job_that_has_ended_is_told_without_a_stream(scripted: Scripted, watch: Watch) -> None:
    scripted.answers = [job("failed", 3)]
    assert seen(watch()) == [("failed", 3)]
    assert len(scripted.asked) == 1


def test_a_stream_that_is_cut_goes_on_in_the_next(scripted: Scripted, watch: Watch, problem: Problem) -> None:
    scripted.answers = [
        job(),
        stream(job(), job(trial=1), end=b'event: job\ndata: {"job_', announced=100_000),
        None,  # nobody there …
        problem(503),  # … and then not ready
        job(trial=2),
        stream(job(trial=2)),  # ends by itself, as a server's does that is being stopped
        job(trial=2),
        stream(job("succeeded", 3), end=DONE),
    ]
    assert seen(watch()) == [("running", 0), ("running", 1), ("running", 2), ("succeeded", 3)]


def test_where_streams_tell_nothing_the_job_is_asked_for(scripted: Scripted, watch: Watch) -> None:
    looks = [job(), stream(), job(trial=1), stream(), job(trial=2), stream(), job(trial=3), job(trial=4)]
    scripted.answers = [*looks, job("cancelled", 4)]
    assert seen(watch()) == [*[("running", trial) for trial in range(5)], ("cancelled", 4)]
    assert [asked.path for asked in scripted.asked[-3:]] == ["/jobs/j"] * 3


def test_an_event_that_is_none_is_told(scripted: Scripted, watch: Watch) -> None:
    scripted.answers = [job(), stream(Answer(body=b"{}"))]
    with pytest.raises(UnreadableAnswer, match="job j: an event that can't be read"):
        watch()


def test_an_unknown_job_is_told_at_once(scripted: Scripted, watch: Watch, problem: Problem) -> None:
    scripted.answers = [problem(404)]
    with pytest.raises(NotFound):
        watch()
    assert len(scripted.asked) == 1


def test_a_server_that_stays_away_is_told_when_patience_ends(scripted: Scripted, watch: Watch) -> None:
    scripted.answers = [job(), None]
    with pytest.raises(ConnectionFailed, match="broke"):
        watch(patience=0.2)
    assert len(scripted.asked) > 3


def test_the_time_that_is_given_ends_the_watching(scripted: Scripted, watch: Watch) -> None:
    scripted.answers = [job(), stream(job(trial=1)), job(trial=1), stream(job(trial=1))]
    scripted.answers += scripted.answers[2:] * 2000
    with pytest.raises(TimedOut, match=r"job j has not ended within 0.2 s; it goes on all the same"):
        watch(timeout=0.2)
