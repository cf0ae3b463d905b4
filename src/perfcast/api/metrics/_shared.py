"""The counts of several processes on one port, put together."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from perfcast.api.metrics._tally import Tally, add_counts

Numbers = dict[str, float]


class Share(msgspec.Struct):
    """What one process shows.

    Attributes:
        tally: What requests and predictions counted.
        counts: What else was counted; never falls.
        amounts: What it has just now and all have together, such as bytes.
        levels: What it has just now and others have alike, of which the largest is shown.
        process: Its number.
    """

    tally: Tally
    counts: Numbers
    amounts: Numbers
    levels: Numbers
    process: int = msgspec.field(default_factory=os.getpid)


_decode = msgspec.msgpack.Decoder(Share).decode


class SharedTally:
    """This process's share of the counts.

    Each process has a slot, and a small file for it, written about once a second. Whoever is asked for `/metrics`
    writes its own and adds the others'. A process that takes the place of one that ended goes on from its slot's file.
    So what was shown once never falls, whoever dies; what a killed process counted since it last wrote (a second at
    most) is lost.

    Args:
        folder: Where the processes' files are; only theirs, new with their supervisor.
        slot: Which of them this one is.
        own: Gives what this process has counted; its tally goes on from the slot's file.
    """

    def __init__(self, folder: str, slot: int, own: Callable[[], Share]) -> None:
        self._folder = Path(folder)
        self._file = self._folder / f"{slot}.tally"
        self._own = own
        self._base: Numbers = {}
        if self._file.exists():
            before = _decode(self._file.read_bytes())
            self._base = before.counts
            before.tally.in_flight = 0
            own().tally.add(before.tally)

    def write(self) -> None:
        """Let the others see what was counted until now."""
        share = self._own()
        add_counts(share.counts, self._base)
        new = self._file.with_suffix(".new")
        new.write_bytes(msgspec.msgpack.encode(share))
        new.replace(self._file)

    def total(self) -> tuple[Share, list[int]]:
        """The counts of all processes, this one's until now, and which of the processes live."""
        import psutil

        self.write()
        total, living = Share(Tally(), {}, {}, {}), list[int]()
        for path in sorted(self._folder.glob("*.tally")):
            share = _decode(path.read_bytes())
            if psutil.pid_exists(share.process):
                living.append(share.process)
                add_counts(total.amounts, share.amounts)
                total.levels |= {name: max(value, total.levels.get(name, 0)) for name, value in share.levels.items()}
            else:
                share.tally.in_flight = 0
            total.tally.add(share.tally)
            add_counts(total.counts, share.counts)
        return total, living
