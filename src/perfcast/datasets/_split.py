"""Parting a dataset into rows to train on, to calibrate on and to judge by (rule R4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import ceil
from typing import Literal

import numpy as np
import numpy.typing as npt

from perfcast.errors import InvalidData
from perfcast.manifest import DataFacts
from perfcast.tables import Moments
from perfcast.workloads import Rows

Numbers = npt.NDArray[np.int64]

CALIBRATE, TEST = 0.15, 0.20
"""Shares of the configurations (or of the time) that are held back."""
GAP = 0.01
"""Share of the rows left out between two parts, so that neighbouring minutes don't stand on both sides.

Not of the elapsed time: a pause of weeks between two sessions, or one row of 1970, would make it swallow whole parts.
"""
BY_HASH = "by hash of the configuration"
"""How the description of a split by configuration begins."""
FEWEST = 9
"""Rows each part must have: with fewer to calibrate by, no interval of 90 % can be promised."""


@dataclass(frozen=True)
class Part:
    """Some rows of a dataset: features float32 [rows, n], cost float32 [rows], and when measured, if known."""

    features: Rows
    cost: Rows
    measured_at: Moments | None = None

    def __len__(self) -> int:
        return len(self.cost)

    def take(self, rows: npt.NDArray[np.bool_] | Numbers) -> "Part":
        """The rows at these positions, or where the mask is true."""
        moments = None if self.measured_at is None else self.measured_at[rows]
        return Part(self.features[rows], self.cost[rows], moments)


@dataclass(frozen=True)
class Split:
    """A dataset in three parts."""

    train: Part  # for fitting and tuning
    calibrate: Part  # for sizing intervals; no fit sees it
    test: Part  # for the figures that are published; nothing else sees it
    kind: Literal["configuration", "time"]  # what decides a row's part
    description: str  # the same in a sentence, for the manifest
    groups: Numbers  # int64 [train rows]; rows of one configuration have one number


def configuration_numbers(features: Rows) -> Numbers:
    """A number from 0 up for each row, int64 [rows]; two rows have the same where all their features are equal."""
    _, numbers = np.unique(_as_bytes(features), return_inverse=True)
    return numbers.reshape(-1).astype(np.int64)


def held_out(features: Rows, identifying: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Which rows a split by configuration keeps for judging, whatever rows there are besides: bool [rows].

    Args:
        features: float32 [rows, n].
        identifying: The columns that make a configuration, as the workload says.
    """
    return _hash_positions(features[:, identifying]) < TEST


def judging_rows(rows: Part, facts: DataFacts, identifying: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Which rows judged a version that was made from them, by what its manifest tells: bool [rows].

    None of them has been seen by fitting, tuning or calibration; none is true where the manifest doesn't tell. Where
    the version was made from some of the rows alone, others that it hasn't seen may be among them.
    """
    if facts.split.startswith(BY_HASH):
        return held_out(rows.features, identifying)
    count = min(facts.parts.get("test", 0), len(rows))
    if rows.measured_at is None or facts.learnt_until is None or not count:
        return np.zeros(len(rows), dtype=np.bool_)
    newest = np.partition(rows.measured_at, len(rows) - count)[len(rows) - count]
    judging: npt.NDArray[np.bool_] = rows.measured_at >= newest
    return judging & (rows.measured_at > np.datetime64(facts.learnt_until.removesuffix("Z")))


def split_by_configuration(rows: Part, identifying: Sequence[int] | None = None) -> Split:
    """Each configuration's part is decided by a hash of its features, so it stays where it is as data grows.

    Args:
        rows: All of them.
        identifying: The columns that make a configuration; all if None.

    Raises:
        InvalidData: A part would have fewer than `FEWEST` rows.
    """
    columns = slice(None) if identifying is None else list(identifying)
    position = _hash_positions(rows.features[:, columns])
    test, calibrate = position < TEST, (position >= TEST) & (position < TEST + CALIBRATE)
    train = ~test & ~calibrate
    text = f"{BY_HASH} (seed 0): {_shares()}"
    return _checked(rows, train, calibrate, test, "configuration", text, columns)


def split_by_time(rows: Part) -> Split:
    """The oldest rows train, the newest judge, with a gap between two parts.

    Raises:
        InvalidData: A part would have fewer than `FEWEST` rows.
    """
    if rows.measured_at is None:
        raise InvalidData("a split by time needs rows with a time of measurement")
    moments = rows.measured_at.astype("datetime64[us]").astype(np.int64)
    order = np.sort(moments)
    gap = ceil(len(order) * GAP)
    test_from, calibrate_from = int(len(order) * (1 - TEST)), int(len(order) * (1 - TEST - CALIBRATE))
    test = moments >= order[test_from]
    calibrate = (moments >= order[calibrate_from]) & (moments < order[max(0, test_from - gap)])
    train = moments < order[max(0, calibrate_from - gap)]
    text = f"by time, oldest first, {GAP:.0%} of the rows left out between parts: {_shares()}"
    return _checked(rows, train, calibrate, test, "time", text)


def far_in_time(moments: Moments) -> npt.NDArray[np.bool_]:
    """Rows further from the middle 98 % than those reach, such as one of 1970 among this year's: bool [rows]."""
    micros = moments.astype("datetime64[us]").astype(np.int64)
    low, high = np.quantile(micros, (0.01, 0.99), method="nearest")
    reach = high - low
    far: npt.NDArray[np.bool_] = (micros < low - reach) | (micros > high + reach)
    return far


def _shares() -> str:
    return f"{1 - TEST - CALIBRATE:.0%} train, {CALIBRATE:.0%} calibrate, {TEST:.0%} test"


def _checked(
    rows: Part,
    train: npt.NDArray[np.bool_],
    calibrate: npt.NDArray[np.bool_],
    test: npt.NDArray[np.bool_],
    kind: Literal["configuration", "time"],
    description: str,
    identifying: list[int] | slice = slice(None),
) -> Split:
    fewest = min(int(part.sum()) for part in (train, calibrate, test))
    if fewest < FEWEST:
        what, distinct = ("times", rows.measured_at) if kind == "time" else ("configurations", _as_bytes(rows.features))
        raise InvalidData(
            f"{len(rows):,} rows with {len(np.unique(distinct)):,} distinct {what} are too few: a part would have "  # type: ignore[arg-type]
            f"{fewest}, and each of train, calibrate and test needs {FEWEST}; give about "
            f"{int(FEWEST / CALIBRATE * 1.5)} distinct {what} or more"
        )
    trained = rows.take(train)
    groups = configuration_numbers(trained.features[:, identifying])
    return Split(trained, rows.take(calibrate), rows.take(test), kind, description, groups)


def _as_bytes(features: Rows) -> npt.NDArray[np.void]:
    tidy = np.ascontiguousarray(features + np.float32(0))  # -0.0 becomes 0.0
    return tidy.view(np.dtype((np.void, tidy.dtype.itemsize * tidy.shape[1]))).reshape(-1)


def _hash_positions(features: Rows) -> npt.NDArray[np.float64]:
    """A number in 0…1 for each row, decided by its features alone."""
    distinct, numbers = np.unique(_as_bytes(features), return_inverse=True)
    values = [int.from_bytes(blake2b(row.tobytes(), digest_size=8).digest(), "little") for row in distinct]
    positions: npt.NDArray[np.float64] = np.array(values, dtype=np.float64)[numbers.reshape(-1)] / 2.0**64
    return positions
