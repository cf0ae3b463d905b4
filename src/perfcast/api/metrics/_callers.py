"""How many callers there are: who called lately, and who had never called before."""

import fcntl
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from threading import Lock

import msgspec

WINDOWS = {"1h": 60, "24h": 24 * 60}
"""Minutes that are looked back on."""
MOST = 20_000
"""Callers that are remembered; beyond, those who were silent for longest are forgotten."""


class Known(msgspec.Struct):
    """The callers of the last day.

    Attributes:
        new: How many had not called in the day before they did.
        last: By a hash of the caller's name, the minute of its last call.
    """

    new: int = 0
    last: dict[int, int] = {}


_decode = msgspec.msgpack.Decoder(Known).decode


class Callers:
    """Takes note of callers; of their names only hashes are kept, for a day.

    `seen` only puts the name into a set, 0.1 µs; from time to time, away from requests, `look` moves what is there into
    what is known, which all processes of a port have in one file, so that nobody is counted twice.

    Args:
        name: Gives the name under which a caller is counted, of an address for instance its network.
        clock: Seconds since the epoch.
    """

    def __init__(self, name: Callable[[str], str] = str, clock: Callable[[], float] = time.time) -> None:
        self._name, self._clock = name, clock
        self._recent: set[str] = set()
        self._known = Known()
        self._file: Path | None = None
        self._lock = Lock()

    def share(self, folder: str) -> None:
        """Count together with the other processes on this port, in a file in that folder."""
        self._file = Path(folder) / "callers"

    def seen(self, caller: str) -> None:
        """Take note of a request of a caller."""
        recent = self._recent
        if caller not in recent:
            recent.add(caller)
            if len(recent) >= MOST:
                self.look()

    def look(self) -> Known:
        """Add who called since the last look; gives all that is known."""
        with self._lock:
            recent, self._recent = self._recent, set()
            callers = {_hashed(self._name(caller)) for caller in tuple(recent)}  # to which `seen` may just be adding
            if self._file is None:
                self._add(self._known, callers)
            else:
                self._known = self._add_together(self._file, callers)
            return self._known

    def counts(self) -> dict[str, int]:
        """How many called within each of the `WINDOWS`, as of the last look."""
        now, last = self._minute(), self._known.last.values()
        return {name: sum(minute > now - minutes for minute in last) for name, minutes in WINDOWS.items()}

    def _add_together(self, file: Path, callers: set[int]) -> Known:
        """Add to what all processes know, while the others wait."""
        with file.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = _decode(file.read_bytes()) if file.exists() else Known()
            if self._add(known, callers):
                new = file.with_suffix(".new")
                new.write_bytes(msgspec.msgpack.encode(known))
                new.replace(file)
            return known

    def _add(self, known: Known, callers: set[int]) -> bool:
        """Whether there was anything to add."""
        now = self._minute()
        changed = [caller for caller in callers if known.last.get(caller) != now]
        if not changed:
            return False
        last = {caller: minute for caller, minute in known.last.items() if minute > now - WINDOWS["24h"]}
        known.new += sum(caller not in last for caller in changed)
        last |= dict.fromkeys(changed, now)
        if len(last) > MOST:
            last = dict(sorted(last.items(), key=lambda item: -item[1])[:MOST])
        known.last = last  # whole, since `counts` may be reading it
        return True

    def _minute(self) -> int:
        return int(self._clock() // 60)


def _hashed(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=8).digest())
