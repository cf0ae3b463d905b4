"""Expensive answers, kept by version and question: in memory, or in Redis, where all replicas share them."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import structlog

if TYPE_CHECKING:
    import redis

_LARGEST = 1_000_000
_PREFIX = "perfcast:answers:"
_MOST_OF_A_VERSION = 10_000
_DAY_SECONDS = 86_400
_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 5.0

log = structlog.stdlib.get_logger("perfcast.serving")


class AnswerCache(Protocol):
    """What every cache of answers does; safe to use from several threads, and never fails its caller.

    A version is known by the SHA-256 of its graph, so a name that is used again finds nothing of the former one.
    """

    def get(self, version: str, question: bytes) -> bytes | None:
        """The answer that was put, None where there is none (any more)."""

    def put(self, version: str, question: bytes, answer: bytes) -> None:
        """Keep an answer; what is larger than a megabyte isn't kept."""

    def keep(self, versions: Collection[str]) -> None:
        """Forget the answers of all versions but these."""

    def close(self) -> None:
        """Let go of connections."""


class MemoryAnswers:
    """Keeps answers in this process; the least recently used leave.

    Args:
        capacity: Bytes of answers.
    """

    def __init__(self, capacity: int = 16_000_000) -> None:
        self._capacity = capacity
        self._bytes = 0
        self._lock = Lock()
        self._answers: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()

    def get(self, version: str, question: bytes) -> bytes | None:
        """As `AnswerCache.get`."""
        with self._lock:
            answer = self._answers.get((version, question))
            if answer is not None:
                self._answers.move_to_end((version, question))
            return answer

    def put(self, version: str, question: bytes, answer: bytes) -> None:
        """As `AnswerCache.put`."""
        if len(answer) > min(_LARGEST, self._capacity):
            return
        with self._lock:
            self._drop((version, question))
            self._answers[version, question] = answer
            self._bytes += _size(question, answer)
            while self._bytes > self._capacity:
                self._drop(next(iter(self._answers)))

    def keep(self, versions: Collection[str]) -> None:
        """As `AnswerCache.keep`."""
        with self._lock:
            for key in [key for key in self._answers if key[0] not in versions]:
                self._drop(key)

    def close(self) -> None:
        """As `AnswerCache.close`."""

    def _drop(self, key: tuple[str, bytes]) -> None:
        answer = self._answers.pop(key, None)
        if answer is not None:
            self._bytes -= _size(key[1], answer)


class RedisAnswers:
    """Keeps answers in Redis for a day at most; in memory while Redis can't be reached.

    Args:
        url: `redis://…`.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._here = MemoryAnswers()
        self._lock = Lock()
        self._redis: redis.Redis | None = None
        self._versions: set[str] = set()
        self._away_until = 0.0

    def get(self, version: str, question: bytes) -> bytes | None:
        """As `AnswerCache.get`."""
        self._versions.add(version)
        found = self._ask(lambda client: client.hget(_key(version), _field(question)))
        return found if isinstance(found, bytes) else self._here.get(version, question)

    def put(self, version: str, question: bytes, answer: bytes) -> None:
        """As `AnswerCache.put`."""
        if len(answer) > _LARGEST:
            return

        def put(client: "redis.Redis") -> bool:
            full = client.hlen(_key(version)) >= _MOST_OF_A_VERSION
            with client.pipeline() as pipeline:
                if full:
                    pipeline.delete(_key(version))
                pipeline.hset(_key(version), _field(question), answer)
                pipeline.expire(_key(version), _DAY_SECONDS)
                pipeline.execute()
            return True

        self._versions.add(version)
        if not self._ask(put):
            self._here.put(version, question, answer)

    def keep(self, versions: Collection[str]) -> None:
        """As `AnswerCache.keep`."""
        self._here.keep(versions)
        gone = [version for version in list(self._versions) if version not in versions]
        if gone and self._ask(lambda client: client.delete(*map(_key, gone)) >= 0):
            self._versions.difference_update(gone)

    def close(self) -> None:
        """As `AnswerCache.close`."""
        if self._redis is not None:
            self._redis.close()

    def _ask(self, do: "Callable[[redis.Redis], Any]") -> Any:
        """What Redis says; None where it can't be reached, and then it isn't asked again for a while."""
        import redis

        if time.monotonic() < self._away_until:
            return None
        try:
            with self._lock:
                if self._redis is None:
                    wait = {"socket_timeout": _PATIENCE_SECONDS, "socket_connect_timeout": _PATIENCE_SECONDS}
                    self._redis = redis.Redis.from_url(self._url, **wait)
            return do(self._redis)
        except redis.RedisError as error:
            self._away_until = time.monotonic() + _PAUSE_SECONDS
            log.debug("answers are kept in memory; Redis can't be asked", reason=str(error))
            return None


def make_answer_cache(redis_url: str) -> AnswerCache:
    """The cache in Redis where there is an address, else in memory."""
    return RedisAnswers(redis_url) if redis_url else MemoryAnswers()


def _size(question: bytes, answer: bytes) -> int:
    return len(question) + len(answer) + 200


def _key(version: str) -> str:
    return f"{_PREFIX}{version}"


def _field(question: bytes) -> str:
    return sha256(question).hexdigest()
