"""What a person kept while looking: lists of entries by session, in Redis where there is one, else in memory.

A session is a browser: its cookie outlives a reload, and with Redis it is the same on every replica of the UI.
"""

import hashlib
import json
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any, Protocol

from perfcast.errors import Unavailable

Entry = Mapping[str, Any]
MOST = 50
"""Entries of a session; the oldest leave."""
_MOST_SESSIONS = 1_000
_KEPT = timedelta(days=7)
_PREFIX = "perfcast:ui:"


class Sessions(Protocol):
    """Where entries are kept; each call raises `Unavailable` where that is away."""

    def add(self, session: str, entry: Entry) -> None:
        """Keep an entry, as the newest."""

    def entries(self, session: str) -> Sequence[Entry]:
        """What a session kept, the newest first."""

    def clear(self, session: str) -> None:
        """Forget what a session kept."""


class MemorySessions:
    """In this process; beyond a thousand sessions, the one that was silent for longest is forgotten."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, deque[Entry]] = OrderedDict()
        self._lock = Lock()

    def add(self, session: str, entry: Entry) -> None:
        """Keep an entry, as the newest."""
        with self._lock:
            self._sessions.setdefault(session, deque(maxlen=MOST)).appendleft(entry)
            self._sessions.move_to_end(session)
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)

    def entries(self, session: str) -> Sequence[Entry]:
        """What a session kept, the newest first."""
        with self._lock:
            return list(self._sessions.get(session, ()))

    def clear(self, session: str) -> None:
        """Forget what a session kept."""
        with self._lock:
            self._sessions.pop(session, None)


class RedisSessions:
    """In Redis, for a week after the last entry."""

    def __init__(self, url: str) -> None:
        from redis import Redis

        self._redis: Any = Redis.from_url(url, socket_timeout=1.0, socket_connect_timeout=1.0)

    def add(self, session: str, entry: Entry) -> None:
        """Keep an entry, as the newest."""
        key = _PREFIX + session
        with _reached(), self._redis.pipeline() as several:
            several.lpush(key, json.dumps(entry)).ltrim(key, 0, MOST - 1).expire(key, _KEPT).execute()

    def entries(self, session: str) -> Sequence[Entry]:
        """What a session kept, the newest first."""
        with _reached():
            return [json.loads(entry) for entry in self._redis.lrange(_PREFIX + session, 0, MOST - 1)]

    def clear(self, session: str) -> None:
        """Forget what a session kept."""
        with _reached():
            self._redis.delete(_PREFIX + session)


@contextmanager
def _reached() -> Iterator[None]:
    from redis import RedisError

    try:
        yield
    except RedisError as error:
        raise Unavailable(f"Redis (REDIS_URL) does not answer: {error}") from error


def make_sessions(redis_url: str) -> Sessions:
    """In Redis where an address is given, else in memory."""
    return RedisSessions(redis_url) if redis_url else MemorySessions()


def session_of(cookie: str) -> str:
    """A session's name; not the cookie itself, which lets forms be sent."""
    return hashlib.sha256(_unmasked(cookie)).hexdigest()[:32]


def _unmasked(cookie: str) -> bytes:
    """What stays in Streamlit's cookie `2|mask|masked|moment` (hexadecimal) while each load brings another mask."""
    version, *parts = cookie.strip("\"'").split("|")
    try:
        mask, masked = (bytes.fromhex(part) for part in parts[:2])
    except ValueError:
        return cookie.encode()
    if version != "2" or not mask:
        return cookie.encode()
    return bytes(byte ^ mask[place % len(mask)] for place, byte in enumerate(masked))
