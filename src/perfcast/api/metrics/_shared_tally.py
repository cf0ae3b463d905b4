"""Counts of several processes on one port, as one.

Each process has a slot, and a small file for it, written about once a second. Whoever is asked for `/metrics` writes
its own and adds the others'. A process that takes the place of one that ended goes on from its slot's file. So what was
shown once never falls, whoever dies; what a killed process counted since it last wrote (a second at most) is lost.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from perfcast.api.metrics._tally import Tally, add_counts

_Counts = dict[str, int]
_decode = msgspec.msgpack.Decoder(tuple[Tally, _Counts]).decode


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
        self._tally, self._further = tally, further
        self._base: _Counts = {}
        if self._own.exists():
            restored, self._base = _decode(self._own.read_bytes())
            restored.in_flight = 0
            tally.add(restored)

    def write(self) -> None:
        """Let the others see what was counted until now."""
        counts = self._further()
        add_counts(counts, self._base)
        new = self._own.with_suffix(".new")
        new.write_bytes(msgspec.msgpack.encode((self._tally, counts)))
        new.replace(self._own)

    def total(self) -> tuple[Tally, _Counts]:
        """The counts of all processes, this one's until now."""
        self.write()
        tally, counts = Tally(), _Counts()
        for path in sorted(self._folder.glob("*.tally")):
            theirs, further = _decode(path.read_bytes())
            tally.add(theirs)
            add_counts(counts, further)
        return tally, counts
