"""What the cache of answers does, in memory and in Redis."""

from collections.abc import Iterator

import pytest
import redis
from tests.services import RedisServer, redis_server

from perfcast.serving import AnswerCache


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[AnswerCache]:
    if request.param == "memory":
        yield AnswerCache()
        return
    url = request.getfixturevalue("redis_url")
    redis.Redis.from_url(url).flushdb()
    cache = AnswerCache(url)
    yield cache
    cache.close()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


def test_what_was_put_is_found(cache: AnswerCache) -> None:
    assert cache.get("v1", "question") is None
    cache.put("v1", "question", b"answer \x00\xff")
    assert cache.get("v1", "question") == b"answer \x00\xff"


def test_the_newest_answer_counts(cache: AnswerCache) -> None:
    cache.put("v1", "question", b"old")
    cache.put("v1", "question", b"new")
    assert cache.get("v1", "question") == b"new"


def test_answers_belong_to_one_version_and_one_question(cache: AnswerCache) -> None:
    cache.put("v1", "question", b"answer")
    assert cache.get("v2", "question") is None
    assert cache.get("v1", "another") is None


def test_answers_of_versions_that_are_gone_are_forgotten(cache: AnswerCache) -> None:
    cache.put("v1", "question", b"one")
    cache.put("v2", "question", b"two")
    cache.keep({"v2"})
    assert cache.get("v1", "question") is None
    assert cache.get("v2", "question") == b"two"


def test_memory_is_bounded_and_the_oldest_leave() -> None:
    cache = AnswerCache()
    for question in (0, 1, 0, *range(2, 1001)):
        cache.put("v", str(question), b"answer")
    assert [cache.get("v", question) is not None for question in ("0", "1", "2", "1000")] == [True, False, True, True]


def test_redis_forgets_within_a_day(redis_url: str) -> None:
    cache = AnswerCache(redis_url)
    cache.put("brief", "question", b"answer")
    (key,) = redis.Redis.from_url(redis_url).scan_iter("*:brief")
    assert 0 < redis.Redis.from_url(redis_url).ttl(key) <= 86_400
    cache.close()


def test_replicas_share_what_redis_keeps(redis_url: str) -> None:
    one, other = AnswerCache(redis_url), AnswerCache(redis_url)
    one.put("shared", "question", b"answer")
    assert other.get("shared", "question") == b"answer"
    one.close()
    other.close()


def test_without_redis_answers_are_kept_in_memory(own_redis: RedisServer) -> None:
    cache = AnswerCache(own_redis.url)
    cache.put("v1", "before", b"answer")
    own_redis.stop()
    assert cache.get("v1", "before") is None
    cache.put("v1", "during", b"answer")
    assert cache.get("v1", "during") == b"answer"
    cache.keep(set())
    assert cache.get("v1", "during") is None
    own_redis.start()
    cache._away_until = 0.0
    cache.put("v1", "after", b"answer")
    assert AnswerCache(own_redis.url).get("v1", "after") == b"answer"
    cache.close()


def test_bytes_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perfcast.serving._answer_cache._MOST_BYTES", 100)
    cache = AnswerCache()
    for question in ("a", "b", "c"):
        cache.put("v", question, b"x" * 40)
    assert [cache.get("v", question) is not None for question in ("a", "b", "c")] == [False, True, True]
