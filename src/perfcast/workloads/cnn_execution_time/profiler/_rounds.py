"""Which configurations a round measures, and when the two halves of their rounds agree.

The halves are the odd and the even rounds. A configuration's time is the minimum over all its rounds; it is
accepted when the minima of its halves differ by at most the tolerance.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._journal import Block, JournalContents
from ._options import ProfileOptions


@dataclass(frozen=True, slots=True)
class Reading:
    """One configuration's time in one round (from 1): ms per call, the sentinel's ms just before, ISO 8601 UTC time."""

    round: int
    ms: float
    sentinel_ms: float
    at: str


def half_spread(readings: Iterable[Reading]) -> float | None:
    """How far apart the best of odd and even rounds are, relative to the smaller; None while a half has no reading."""
    bests: dict[int, float] = {}
    for reading in readings:
        bests[reading.round % 2] = min(reading.ms, bests.get(reading.round % 2, reading.ms))
    if len(bests) < 2:
        return None
    return abs(bests[0] - bests[1]) / min(bests.values())


@dataclass(slots=True)
class Measurements:
    """All readings of a run, by index of the configuration."""

    count: int  # number of configurations
    # those of each configuration, in the order they were made
    readings: dict[int, list[Reading]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)  # why a configuration can't be measured
    paths: dict[int, str] = field(default_factory=dict)  # which way the runtime takes, where it tells
    sentinel_best_ms: float | None = None  # the sentinel's best time so far, or None before the first

    def add(self, block: Block) -> None:
        self.note_sentinel(block.sentinel_ms)
        for index, ms in block.rows:
            reading = Reading(block.round, ms, block.sentinel_ms, block.at)
            self.readings.setdefault(index, []).append(reading)
        self.failed.update(block.failed)
        self.paths.update(block.paths)

    def note_sentinel(self, ms: float) -> float:
        """Take in a sentinel time and return its ratio to the best so far."""
        self.sentinel_best_ms = ms if self.sentinel_best_ms is None else min(ms, self.sentinel_best_ms)
        return ms / self.sentinel_best_ms

    def accepted(self, index: int, *, tolerance: float, rounds: int, before: int | None = None) -> bool:
        """Whether a configuration has its base rounds and its halves agree, in rounds `before` a number if given."""
        seen = [r for r in self.readings.get(index, ()) if before is None or r.round < before]
        spread = half_spread(seen)
        return len(seen) >= rounds and spread is not None and spread <= tolerance

    def accepted_count(self, options: ProfileOptions) -> int:
        return sum(
            self.accepted(index, tolerance=options.tolerance, rounds=min(2, options.rounds))
            for index in self.readings
            if index not in self.failed
        )


def measurements_of(contents: JournalContents) -> Measurements:
    measurements = Measurements(len(contents.configurations))
    for block in contents.blocks:
        measurements.add(block)
    return measurements


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """One accepted configuration."""

    config: Any
    execution_time_ms: float  # the least time per call over all rounds, in ms
    rounds: int
    half_spread: float  # relative difference between the best of its odd and of its even rounds
    sentinel_ratio: float  # the sentinel's time before the best round, relative to its best in the run
    measured_at: str  # ISO 8601 UTC time of the best round
    path: str | None = None  # which way the runtime takes, where it tells


def accepted_rows(
    contents: JournalContents, measurements: Measurements, *, tolerance: float, rounds: int
) -> list[MeasuredRow]:
    """The configurations whose halves agree, in the order they were sampled."""
    return [
        _row(index, contents.configurations[index], readings, measurements)
        for index, readings in sorted(measurements.readings.items())
        if index not in measurements.failed and measurements.accepted(index, tolerance=tolerance, rounds=rounds)
    ]


def _row(index: int, config: Any, readings: Sequence[Reading], measurements: Measurements) -> MeasuredRow:
    best = min(readings, key=lambda reading: reading.ms)
    ratio = best.sentinel_ms / (measurements.sentinel_best_ms or best.sentinel_ms)
    spread, path = half_spread(readings) or 0.0, measurements.paths.get(index)
    return MeasuredRow(config, best.ms, len(readings), spread, ratio, best.at, path)


def round_plan(number: int, measurements: Measurements, options: ProfileOptions) -> list[int]:
    """Indices of what is left to measure in a round (from 1), in this round's own random order.

    Base rounds measure every configuration; later ones those that earlier rounds left unaccepted. A round
    that was interrupted goes on with what it had not measured.
    """
    order = list(range(measurements.count))
    random.Random(f"{options.seed}:round:{number}").shuffle(order)
    return [index for index in order if _is_due(index, number, measurements, options)]


def _is_due(index: int, number: int, measurements: Measurements, options: ProfileOptions) -> bool:
    done = any(reading.round == number for reading in measurements.readings.get(index, ()))
    if done or index in measurements.failed:
        return False
    if number <= options.rounds:
        return True
    return not measurements.accepted(index, tolerance=options.tolerance, rounds=options.rounds, before=number)
