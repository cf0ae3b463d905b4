"""A prediction whose truth is known, and who wants to hear of such."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import sqlalchemy as sa

from perfcast.monitoring._records import Record

_T = TypeVar("_T")
_Key = TypeVar("_Key", str, int, tuple[str, int], tuple[str, int, str, str])


class Judged(NamedTuple):
    """A prediction and its true cost.

    Attributes:
        record: What was predicted, by whom, when.
        actual: The true cost, in the cost's unit.
        at: When it was measured; where nobody said, when it was predicted. ISO 8601, UTC.
        again: Whether it is the record of a version that is its own shadow: what it said is told once more.
    """

    record: Record
    actual: float
    at: str
    again: bool = False


class Watcher(Protocol):
    """Follows what is predicted and what turns out true, inside the observer's transaction (`_observer.py`).

    Each prediction and each actual comes exactly once, though not in order of time: actuals may be late.
    """

    def predicted(self, connection: sa.Connection, records: Sequence[Record]) -> None:
        """Take note of predictions of any model, version and arm."""

    def judged(self, connection: sa.Connection, judged: Sequence[Judged]) -> None:
        """Take note of predictions whose truth has come, those of shadows too; oldest first within one call."""


def parted(things: Iterable[_T], key: Callable[[_T], _Key]) -> dict[_Key, list[_T]]:
    """The things by their keys, which come sorted, so that no two writers wait for each other."""
    parts: dict[_Key, list[_T]] = {}
    for thing in things:
        parts.setdefault(key(thing), []).append(thing)
    return dict(sorted(parts.items()))
