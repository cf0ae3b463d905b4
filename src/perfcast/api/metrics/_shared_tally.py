"""Counts of several processes on one port, as one.

Each process has a slot, and a small file for it, written about once a second. Whoever is asked for `/metrics` writes
its own and adds the others'. A process that takes the place of one that ended goes on from its slot's file. So what was
shown once never falls, whoever dies; what a killed process counted since it last wrote (a second at most) is lost.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from perfcast.api.metrics._tally import Tally

_Counts = dict[str, int]


class SharedTally:
    """This process's share of the counts.

    Args:
        folder: Where the processes' files are; only theirs, new with their supervisor.
        slot: Which of them this one is.
        tally: What this process counts; goes on from the slot's file.
        further: Further counts of this process.
    """

    def __init__(self, folder: str, slot: int, tally: Tally, further: Callable[[], _Counts]) -> None:
        self._folder = Path(folder)
        self._own = self._folder / f"{slot}.tally"
        self._tally = tally
        self._further = further
        self._base = self._restore()

    def write(self) -> None:
        """Let the others see what was counted until now."""
        counts = self._added(self._further(), self._base)
        document = msgspec.msgpack.encode([self._tally.snapshot(), counts])
        new = self._own.with_suffix(".new")
        new.write_bytes(document)
        new.replace(self._own)

    def total(self) -> tuple[Tally, _Counts]:
        """The counts of all processes, this one's until now."""
        self.write()
        tally, counts = Tally(), _Counts()
        for path in sorted(self._folder.glob("*.tally")):
            snapshot, further = _read(path)
            tally.add(snapshot)
            counts = self._added(counts, further)
        return tally, counts

    def _restore(self) -> _Counts:
        if not self._own.exists():
            return {}
        snapshot, counts = _read(self._own)
        self._tally.add(snapshot)
        self._tally.in_flight = 0
        return counts

    @staticmethod
    def _added(one: _Counts, other: _Counts) -> _Counts:
        return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _read(path: Path) -> tuple[dict[str, Any], _Counts]:
    snapshot, counts = msgspec.msgpack.decode(path.read_bytes())
    return snapshot, counts
