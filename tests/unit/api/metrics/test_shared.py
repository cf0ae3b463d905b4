"""Several processes' counts together are those of one that had counted all."""

import os
from pathlib import Path

import pytest

from perfcast.api.metrics._shared import Share, SharedTally
from perfcast.api.metrics._tally import Tally

ARM = ("shop", "champion", 3)


def count(tally: Tally, share: int) -> None:
    """Count something of every kind, `share` times."""
    for _ in range(share):
        tally.request("/predict", "POST", 200, 0.001)
        tally.refuse("rate")
        tally.predicted(ARM, 0.002, rows=2)
        tally.outside("shop")
        tally.batch("csv", 7)
        tally.failed("shop", "invalid")
        tally.fed_back({"accepted": 1})
        tally.shadowed(("shop", "shadow", 4), 0.003)
        tally.presets["cnn-execution-time", "vgg"] = tally.presets.get(("cnn-execution-time", "vgg"), 0) + 1


def share_of(tally: Tally, number: float) -> Share:
    counts, amounts, levels = {"loads": number}, {"bytes": number}, {"models": number}
    return Share(tally, counts, amounts, levels)


def rounded(tally: Tally) -> Tally:
    """With sums of seconds that don't depend on their order."""
    for histograms in (tally.request_seconds, tally.prediction_seconds, tally.arms, tally.shadows):
        for durations in histograms.values():
            durations.total = round(durations.total, 9)
    return tally


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


def test_the_sum_is_that_of_one_process_that_counted_all(folder: str) -> None:
    tallies = [Tally(), Tally(), Tally()]
    shared = [SharedTally(folder, slot, lambda slot=slot: share_of(tallies[slot], slot + 1.0)) for slot in range(3)]
    for slot, tally in enumerate(tallies):
        count(tally, slot + 1)
        shared[slot].write()
    single = Tally()
    count(single, 6)
    total, living = shared[1].total()
    assert rounded(total.tally) == rounded(single)
    assert (total.counts, total.amounts, total.levels) == ({"loads": 6.0}, {"bytes": 6.0}, {"models": 3.0})
    assert living == [os.getpid()] * 3


def test_what_a_process_that_is_gone_counted_stays_and_what_it_held_does_not(folder: str) -> None:
    gone, tally = Tally(in_flight=5), Tally(in_flight=1)
    count(gone, 2)
    count(tally, 1)
    first = share_of(gone, 10.0)
    first.process = 2**22 + 1  # more than the kernel gives
    SharedTally(folder, 0, lambda: first).write()
    total, living = SharedTally(folder, 1, lambda: share_of(tally, 1.0)).total()
    assert total.tally.predictions == {("shop", "success"): 6, ("shop", "error"): 3}
    assert (total.tally.in_flight, living) == (1, [os.getpid()])
    assert (total.counts, total.amounts, total.levels) == ({"loads": 11.0}, {"bytes": 1.0}, {"models": 1.0})

    successor = Tally()
    total, _ = SharedTally(folder, 0, lambda: share_of(successor, 1.0)).total()
    assert successor.predictions == {("shop", "success"): 4, ("shop", "error"): 2}
    assert total.counts == {"loads": 12.0}
