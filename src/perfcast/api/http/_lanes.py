"""How many requests a process takes on at a time; what comes on top is told so at once, instead of waiting its turn.

A `/predict` that is answered while its bytes are parsed (`_direct.py`) waits for nothing, so it can't pile up and is
not counted. Whatever waits for a body, a thread or the database is counted by kind, so that no kind can take the
threads or the memory of another.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from perfcast.api.http._problems import Overloaded

PROBES = frozenset({"/livez", "/readyz", "/health", "/metrics", "/ping", "/v2/health/live", "/v2/health/ready"})
"""Always answered."""
_VERB = ":predict"
"""End of the paths of KServe's version 1 that take many rows."""
_HEAVY = ("/predict/batch", "/explain", "/headroom", "/runway", "/benchmark/", "/networks/", "/invocations")
"""Beginnings of the paths that keep a processor busy for long."""
_LOOKED, _JUDGED = ("/datasets/", "/autoscale/"), "/judged"
"""Beginnings and end of the paths that look at rows: the first look at some reads them all, others wait for it."""
_LOOKS = 4
"""So many looks at rows for each heavy request: only one at a time keeps a processor busy."""


class Lane:
    """Requests of one kind: so many at a time, and so many at present."""

    def __init__(self, kind: str, limit: int, setting: str) -> None:
        self.limit, self.busy = limit, 0
        self._refusal = (
            f"{limit} {kind} are being answered, as many as {setting} lets one process take on; try again in a second"
        )

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place for one request.

        Raises:
            Overloaded: None is free.
        """
        if self.busy >= self.limit:
            raise Overloaded(self._refusal)
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1


class Lanes:
    """The kinds of requests, each with a bound of its own; heavy ones keep a processor busy for long."""

    def __init__(self, limit: int, heavy_limit: int) -> None:
        self._probes = Lane("probes", sys.maxsize, "nothing")
        self.predictions = Lane("predictions", limit, "MAX_CONCURRENCY")
        self._heavy = Lane("heavy requests", heavy_limit, "MAX_HEAVY_CONCURRENCY")
        self._looks = Lane("looks at rows", _LOOKS * heavy_limit, f"{_LOOKS} × MAX_HEAVY_CONCURRENCY")
        self._streams = Lane("event streams", limit, "MAX_CONCURRENCY")
        self._others = Lane("requests", limit, "MAX_CONCURRENCY")

    def of(self, path: str) -> Lane:
        """The lane of a path."""
        if path in PROBES:
            return self._probes
        if path.startswith(_HEAVY) or path.endswith(_VERB):
            return self._heavy
        if path.startswith(_LOOKED) or path.endswith(_JUDGED):
            return self._looks
        if path.endswith("/events"):
            return self._streams
        return self._others
