"""What every cache of answers does, in memory and in Redis."""

from collections.abc import Iterator

import pytest
import redis
from tests.services import RedisServer, redis_server

from perfcast.serving import AnswerCache, MemoryAnswers, RedisAnswers, make_answer_cache


@pytest.fixture(params=["memory", "redis"])
def cache(request: pytest.FixtureRequest) -> Iterator[AnswerCache]:
    if request.param == "memory":
        yield MemoryAnswers()
        return
    url = request.getfixturevalue("redis_url")
    redis.Redis.from_url(url).flushdb()
    cache = RedisAnswers(url)
    yield cache
    cache.close()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


def test_what_was_put_is_found(cache: AnswerCache) -> None:
    assert cache.get("v1", b"question") is None
    cache.put("v1", b"question", b"answer \x00\xff")
    assert cache.get("v1", b"question") == b"answer \x00\xff"


def test_the_newest_answer_counts(cache: AnswerCache) -> None:
    cache.put("v1", b"question", b"old")
    cache.put("v1", b"question", b"new")
    assert cache.get("v1", b"question") == b"new"


def test_answers_belong_to_one_version_and_one_question(cache: AnswerCache) -> None:
    cache.put("v1", b"question", b"answer")
    assert cache.get("v2", b"question") is None
    assert cache.get("v1", b"another") is None


def test_answers_of_versions_that_are_gone_are_forgotten(cache: AnswerCache) -> None:
    cache.put("v1", b"question", b"one")
    cache.put("v2", b"question", b"two")
    cache.keep({"v2"})
    assert cache.get("v1", b"question") is None
    assert cache.get("v2", b"question") == b"two"


def test_what_is_larger_than_a_megabyte_is_not_kept(cache: AnswerCache) -> None:
    cache.put("v1", b"question", bytes(1_000_001))
    assert cache.get("v1", b"question") is None


def test_memory_is_bounded_and_the_least_recently_used_leave() -> None:
    cache = MemoryAnswers(capacity=2_500)
    cache.put("v", b"1", bytes(900))
    cache.put("v", b"2", bytes(900))
    assert cache.get("v", b"1") is not None
    cache.put("v", b"3", bytes(900))
    assert [cache.get("v", question) is not None for question in (b"1", b"2", b"3")] == [True, False, True]


def test_replicas_share_what_redis_keeps(redis_url: str) -> None:
    one, other = RedisAnswers(redis_url), RedisAnswers(redis_url)
    one.put("shared", b"question", b"answer")
    assert other.get("shared", b"question") == b"answer"
    one.close()
    other.close()


def test_without_redis_answers_are_kept_in_memory(own_redis: RedisServer) -> None:
    cache = RedisAnswers(own_redis.url)
    cache.put("v1", b"before", b"answer")
    own_redis.stop()
    assert cache.get("v1", b"before") is None
    cache.put("v1", b"during", b"answer")
    assert cache.get("v1", b"during") == b"answer"
    cache.keep(set())
    assert cache.get("v1", b"during") is None
    own_redis.start()
    cache._away_until = 0.0
    cache.put("v1", b"after", b"answer")
    assert RedisAnswers(own_redis.url).get("v1", b"after") == b"answer"
    cache.close()


def test_the_address_decides(redis_url: str) -> None:
    assert isinstance(make_answer_cache(""), MemoryAnswers)
    assert isinstance(make_answer_cache(redis_url), RedisAnswers)
