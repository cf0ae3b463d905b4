"""What a person kept: one contract for memory and Redis."""

from collections.abc import Callable

import pytest
from redis import Redis
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string

from perfcast.errors import Unavailable
from perfcast.ui import _sessions
from perfcast.ui._sessions import MOST, MemorySessions, RedisSessions, Sessions, make_sessions, session_of


@pytest.fixture(params=["memory", "redis"])
def sessions(request: pytest.FixtureRequest) -> Sessions:
    if request.param == "memory":
        return make_sessions("")
    url = str(request.getfixturevalue("redis_url"))
    Redis.from_url(url).flushall()
    return make_sessions(url)


def entry(number: int) -> dict[str, object]:
    return {"at": "2026-03-02 14:05", "scenario": f"request rate {number}", "answer": "4.40\u202f%", "link": "?a=ä&b=1"}


def test_nothing_is_kept_at_first(sessions: Sessions) -> None:
    assert list(sessions.entries("a")) == []


def test_what_was_kept_comes_back_unchanged_the_newest_first(sessions: Sessions) -> None:
    for number in range(3):
        sessions.add("a", entry(number))
    assert list(sessions.entries("a")) == [entry(2), entry(1), entry(0)]


def test_each_session_has_its_own(sessions: Sessions) -> None:
    sessions.add("a", entry(1))
    sessions.add("b", entry(2))
    sessions.clear("a")
    assert (list(sessions.entries("a")), list(sessions.entries("b"))) == ([], [entry(2)])


def test_the_oldest_leave_when_there_are_many(sessions: Sessions) -> None:
    for number in range(MOST + 5):
        sessions.add("a", entry(number))
    kept = sessions.entries("a")
    assert (len(kept), kept[0], kept[-1]) == (MOST, entry(MOST + 4), entry(5))


def test_forgetting_what_was_never_kept_is_no_error(sessions: Sessions) -> None:
    sessions.clear("nobody")


def test_what_was_read_does_not_change_with_what_is_added(sessions: Sessions) -> None:
    sessions.add("a", entry(1))
    read = sessions.entries("a")
    sessions.add("a", entry(2))
    assert list(read) == [entry(1)]


def test_memory_forgets_the_session_that_was_silent_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sessions, "_MOST_SESSIONS", 2)
    sessions = MemorySessions()
    for name in ("a", "b", "a", "c"):
        sessions.add(name, entry(1))
    assert [len(sessions.entries(name)) for name in "abc"] == [2, 0, 1]


def test_two_replicas_with_one_redis_show_the_same_and_it_ends_after_a_week(redis_url: str) -> None:
    one, other = RedisSessions(redis_url), RedisSessions(redis_url)
    one.clear("shared")
    one.add("shared", entry(1))
    assert list(other.entries("shared")) == [entry(1)]
    left = Redis.from_url(redis_url).ttl("perfcast:ui:shared")
    assert 6 * 24 * 3600 < left <= 7 * 24 * 3600  # type: ignore[operator]


def test_a_session_is_not_its_cookie() -> None:
    assert session_of("2|abc") == session_of("2|abc") != session_of("2|abd")
    assert "abc" not in session_of("abc")


def test_a_session_outlives_a_reload_which_brings_its_cookie_under_another_mask() -> None:
    token = bytes(range(16))
    first, second = (generate_xsrf_token_string(token, 1_700_000_000) for _ in range(2))
    assert first != second
    assert session_of(first) == session_of(second) != session_of(generate_xsrf_token_string())


@pytest.mark.parametrize("call", [lambda one: one.entries("a"), lambda one: one.add("a", entry(1))])
def test_a_redis_that_is_away_is_an_error_that_pages_expect(nobody: str, call: Callable[[Sessions], object]) -> None:
    with pytest.raises(Unavailable, match="Redis"):
        call(RedisSessions(nobody.replace("http://", "redis://")))
