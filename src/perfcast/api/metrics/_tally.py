"""Counting requests and predictions without locks, in one process and in several on one port.

Everything is counted on the event loop's thread, so plain integers do: 0.3 µs an observation, where prometheus-client's
own histogram takes 1.5 µs. prometheus-client writes the text when it is asked for.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec

from perfcast.monitoring import PredictionLog, Record
from perfcast.serving import Arm, Shadows

BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms' buckets, seconds."""
_MOST = 1000
"""Histograms of arms, of which each version makes new ones; those that began first leave."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
Labels: TypeAlias = tuple[str, str, int]
"""Who answered: model, arm and version."""
_Label = TypeVar("_Label")


@dataclass(slots=True)
class Durations:
    """A histogram of seconds; an observation may be of several answers, given together."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0
    further: int = 0

    @property
    def answers(self) -> int:
        """How many answers were given."""
        return sum(self.counts) + self.further

    def observe(self, seconds: float, answers: int = 1) -> None:
        """Count answers that took one time together."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds
        if answers != 1:
            self.further += answers - 1

    def add(self, other: "Durations") -> None:
        """Add those of another process."""
        self.counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        self.total += other.total
        self.further += other.further

    def buckets(self) -> list[tuple[str, float]]:
        """Prometheus' cumulative buckets."""
        names = [*map(str, BOUNDS), "+Inf"]
        return [(name, float(count)) for name, count in zip(names, accumulate(self.counts), strict=True)]


@dataclass(slots=True)
class Tally:
    """All that one process counts.

    Labels come from route templates, known methods and known models only, so that their number stays bounded. Shadows
    are counted on a thread of their own.
    """

    in_flight: int = 0
    requests: dict[tuple[str, str, int], int] = field(default_factory=dict)
    request_seconds: dict[str, Durations] = field(default_factory=dict)
    predictions: dict[tuple[str, str], int] = field(default_factory=dict)
    prediction_seconds: dict[str, Durations] = field(default_factory=dict)
    arms: dict[Labels, Durations] = field(default_factory=dict)
    shadows: dict[Labels, Durations] = field(default_factory=dict)
    actuals: dict[str, int] = field(default_factory=dict)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a finished request."""
        key = (route, method if method in METHODS else "other", status)
        self.requests[key] = self.requests.get(key, 0) + 1
        (self.request_seconds.get(route) or _new(self.request_seconds, route)).observe(seconds)

    def predicted(self, labels: Labels, seconds: float, rows: int = 1) -> None:
        """Count an answer of a model's arm: each of its rows is a prediction, all of them together take one time."""
        model = labels[0]
        key = (model, "success")
        self.predictions[key] = self.predictions.get(key, 0) + rows
        (self.prediction_seconds.get(model) or _new(self.prediction_seconds, model)).observe(seconds)
        (self.arms.get(labels) or _new(self.arms, labels)).observe(seconds, rows)

    def failed(self, model: str, count: int = 1) -> None:
        """Count predictions that failed; `model` is a known model's name or `unknown`."""
        if count:
            self.predictions[model, "error"] = self.predictions.get((model, "error"), 0) + count

    def told(self, results: Mapping[str, int]) -> None:
        """Count actuals by what became of them."""
        add_counts(self.actuals, results)

    def shadowed(self, labels: Labels, seconds: float) -> None:
        """Count a row that a shadow was asked for."""
        (self.shadows.get(labels) or _new(self.shadows, labels)).observe(seconds)

    def add(self, other: "Tally") -> None:
        """Add another process's."""
        self.in_flight += other.in_flight
        add_counts(self.requests, other.requests)
        add_counts(self.predictions, other.predictions)
        add_counts(self.actuals, other.actuals)
        for name in ("request_seconds", "prediction_seconds", "arms", "shadows"):
            held = getattr(self, name)
            for label, durations in getattr(other, name).items():
                (held.get(label) or _new(held, label)).add(durations)


@dataclass(frozen=True)
class Ledger:
    """Where every answer is put down: counted, recorded (unless `PREDICTION_LOG` is off), offered to shadows."""

    tally: Tally
    records: PredictionLog | None
    shadows: Shadows

    def enter(self, arm: Arm, record: Record) -> None:
        """Record an answer of that arm, and offer its row to the arm's shadow; never waits."""
        if self.records is not None:
            self.records.append(record)
        if arm.shadow is not None:
            self.shadows.offer(arm.shadow, record.id, record.row, record.at)

    def enter_all(self, arm: Arm, records: Sequence[Record]) -> None:
        """As `enter`; where too many records wait already, waits until those are written rather than lose any."""
        if self.records is not None:
            self.records.extend(records)
        if arm.shadow is not None:
            for record in records:
                self.shadows.offer(arm.shadow, record.id, record.row, record.at)


def add_counts(counts: dict[_Label, int], more: Mapping[_Label, int]) -> None:
    """Add counts by their labels, in place."""
    for label, count in more.items():
        counts[label] = counts.get(label, 0) + count


def _new(held: dict[_Label, Durations], label: _Label) -> Durations:
    while isinstance(label, tuple) and len(held) >= _MOST:  # routes and models are few, and their counts never fall
        del held[next(iter(held))]
    held[label] = Durations()
    return held[label]


_Counts = dict[str, int]
_decode = msgspec.msgpack.Decoder(tuple[Tally, _Counts]).decode


class SharedTally:
    """This process's share of the counts.

    Each process has a slot, and a small file for it, written about once a second. Whoever is asked for `/metrics`
    writes its own and adds the others'. A process that takes the place of one that ended goes on from its slot's file.
    So what was shown once never falls, whoever dies; what a killed process counted since it last wrote (a second at
    most) is lost.

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
