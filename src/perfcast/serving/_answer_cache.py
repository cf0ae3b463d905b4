"""Expensive answers, kept by version and question: in memory, or in Redis, where all replicas share them."""

import time
from collections.abc import Callable, Collection
from threading import Lock
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    import redis

_PREFIX = "perfcast:answers:"
_DAY_SECONDS = 86_400
_CAPACITY = 1_000
_MOST_BYTES = 64_000_000
"""Answers, and their bytes in all, that may be in memory; the oldest leave."""
_PATIENCE_SECONDS = 0.25
_PAUSE_SECONDS = 5.0

log = structlog.stdlib.get_logger("perfcast.serving")


class AnswerCache:
    """Safe to use from several threads, and never fails its caller.

    A version is known by the SHA-256 of its graph, so a name that is used again finds nothing of the former one.

    Args:
        redis_url: `redis://…`: answers are kept there for a day; in memory while it can't be reached, or without one.
    """

    def __init__(self, redis_url: str = "") -> None:
        self._url = redis_url
        self._here: dict[tuple[str, str], bytes] = {}
        self._lock = Lock()
        self._redis: redis.Redis | None = None
        self._versions: set[str] = set()
        self._away_until = 0.0

    def get(self, version: str, question: str) -> bytes | None:
        """The answer that was put, None where there is none (any more)."""
        self._versions.add(version)
        found = self._ask(lambda client: client.hget(_PREFIX + version, question))
        return found if isinstance(found, bytes) else self._here.get((version, question))

    def put(self, version: str, question: str, answer: bytes) -> None:
        """Keep an answer."""

        def put(client: "redis.Redis") -> bool:
            with client.pipeline() as both:  # no answer may stay for good
                both.hset(_PREFIX + version, question, answer)
                both.expire(_PREFIX + version, _DAY_SECONDS)
                return bool(both.execute()[1])

        self._versions.add(version)
        if not self._ask(put):
            with self._lock:
                self._here.pop((version, question), None)
                self._here[version, question] = answer
                spent = sum(map(len, self._here.values()))
                while len(self._here) > _CAPACITY or spent > _MOST_BYTES:
                    spent -= len(self._here.pop(next(iter(self._here))))

    def keep(self, versions: Collection[str]) -> None:
        """Forget the answers of all versions but these."""
        with self._lock:
            self._here = {key: answer for key, answer in self._here.items() if key[0] in versions}
        gone = [version for version in list(self._versions) if version not in versions]
        if gone and self._ask(lambda client: client.delete(*(_PREFIX + version for version in gone)) >= 0):
            self._versions.difference_update(gone)

    def close(self) -> None:
        """Let go of connections."""
        if self._redis is not None:
            self._redis.close()

    def _ask(self, do: "Callable[[redis.Redis], Any]") -> Any:
        """What Redis says; None where it can't be reached, and then it isn't asked again for a while."""
        if not self._url or time.monotonic() < self._away_until:
            return None
        import redis

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
