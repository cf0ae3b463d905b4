"""What is usual for a version: its inputs, its errors, and from when on they aren't, by held-out time."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.datasets import Part, Split
from perfcast.explanation import choose_background
from perfcast.manifest import DEFAULT_COVERAGE, Calibration, Chart, InputReference, Reference
from perfcast.monitoring.drift import (
    LEAST_DAY_ROWS,
    LEAST_ROWS,
    day_distances,
    histogram,
    longest_run,
    make_chart,
    make_edges,
    relative_error,
    scale_of,
    thresholds_of_days,
    thresholds_of_rows,
)
from perfcast.sessions import Costs
from perfcast.workloads import Rows, Workload

Doubles: TypeAlias = npt.NDArray[np.float64]
_HOUR = np.timedelta64(1, "h")
_DAY = 24
_FEWEST_DAYS = 3
_FEWEST_VALUES = 10
"""A feature with fewer different values stands still as a rule."""
_EACH = 0.5
"""Share of the budget that errors, and misses, each may use."""


@dataclass(frozen=True)
class _Blocks:
    """Held-out rows put into hours, and hours into days.

    Attributes:
        numbers: int64 [rows], the hour of each; they rise from 0 without a gap.
        days: How many hours make each day's block, in order.
        whole: Whether they are days of a clock, and not only so many rows.
    """

    numbers: npt.NDArray[np.int64]
    days: tuple[int, ...]
    whole: bool

    def of(self, values: Doubles) -> list[Doubles]:
        """Hours' means of float64 [rows], one array a day."""
        counts = np.bincount(self.numbers)
        means = np.bincount(self.numbers, weights=values) / counts
        ends = np.cumsum(self.days)
        return [means[end - hours : end] for end, hours in zip(ends, self.days, strict=True)]


def make_reference(
    workload: Workload, split: Split, predicted: tuple[Costs, Costs], calibration: Calibration | None
) -> Reference:
    """What a version's inputs and errors are usually like.

    Args:
        workload: What it predicts.
        split: What it learnt from, and what it didn't.
        predicted: Its answers to the calibrating and to the judging rows.
        calibration: How wide its intervals are.
    """
    held = _held_out(split)
    actual, answers = held.cost.astype(np.float64), np.concatenate([part.cost for part in predicted]).astype(np.float64)
    spreads = [part.spread for part in predicted if part.spread is not None]
    errors = relative_error(actual, answers) if workload.cost.relative else np.abs(answers - actual)
    blocks = _blocks(held)
    spread = np.concatenate(spreads) if spreads else None
    bounds = None if calibration is None else calibration.intervals(answers, DEFAULT_COVERAGE, spread)
    # A version that is worse than the best constant on these rows has learnt too little to say what is usual.
    mean, constant = float(errors.mean()), _of_constant(actual, relative=workload.cost.relative)
    usual = max(min(mean, constant) if constant > 0 else mean, 1e-9)
    errors = errors * (usual / max(mean, 1e-9))
    return Reference(
        inputs=_inputs(workload, split, held),
        errors=make_chart(blocks.of(errors), usual=usual, allowance=0.5 * usual, most=4 * usual, share=_EACH),
        misses=None if bounds is None else _misses(blocks, actual, answers, bounds),
        outside=_outside(blocks, split, held),
        burst=float(max(8 * usual, 1.5 * np.quantile(errors, 0.999))),
        rows=len(held),
        days=len(blocks.days) if blocks.whole else 0,
        method=_method(blocks),
        cost_scale=scale_of(actual),
        cost_run=_run(split, actual),
        width=None if bounds is None else float((bounds[1] - bounds[0]).mean()),
        background=tuple(map(tuple, choose_background(split.train.features).tolist())),
    )


def _of_constant(actual: Doubles, *, relative: bool) -> float:
    """Mean error of always answering the median of these rows."""
    median = np.full(len(actual), np.median(actual))
    return float((relative_error(actual, median) if relative else np.abs(actual - median)).mean())


def _held_out(split: Split) -> Part:
    first, second = split.calibrate, split.test
    moments = (
        None
        if first.measured_at is None or second.measured_at is None
        else np.concatenate([first.measured_at, second.measured_at])
    )
    return Part(np.concatenate([first.features, second.features]), np.concatenate([first.cost, second.cost]), moments)


def _blocks(held: Part) -> _Blocks:
    if held.measured_at is not None:
        hours = np.unique(held.measured_at.astype("datetime64[h]"))
        if len(hours) >= _FEWEST_DAYS * _DAY:
            numbers = np.searchsorted(hours, held.measured_at.astype("datetime64[h]")).astype(np.int64)
            whole, rest = divmod(len(hours), _DAY)
            days = [_DAY] * whole
            days[-1] += rest
            return _Blocks(numbers, tuple(days), whole=True)
    random = np.random.default_rng(0)
    blocks = max(1, len(held) // LEAST_ROWS)
    numbers = random.permutation(np.arange(len(held)) % blocks).astype(np.int64)
    return _Blocks(numbers, (1,) * blocks, whole=False)


def _method(blocks: _Blocks) -> str:
    if blocks.whole:
        return f"{len(blocks.days)} held-out days, drawn whole and with replacement"
    return (
        f"held-out rows drawn one by one in blocks of {LEAST_ROWS}: there are no times, or fewer than {_FEWEST_DAYS} "
        "days of them, so how much days differ isn't known, and false alarms may be more"
    )


def _misses(blocks: _Blocks, actual: Doubles, answers: Doubles, bounds: tuple[Doubles, Doubles]) -> Chart:
    """Of intervals that hold what they promise on these rows, as corrected ones do: how misses cluster matters."""
    lower, upper = bounds
    reach = np.where(actual > answers, upper - answers, answers - lower)
    how_far = np.abs(actual - answers) / np.maximum(reach, 1e-12)
    missed = (how_far > np.quantile(how_far, DEFAULT_COVERAGE)).astype(np.float64)
    usual = 1 - DEFAULT_COVERAGE
    return make_chart(blocks.of(missed), usual=usual, allowance=0.1, most=0.8, share=_EACH, ceiling=1.0)


def _outside(blocks: _Blocks, split: Split, held: Part) -> Chart:
    low, high = split.train.features.min(axis=0), split.train.features.max(axis=0)
    outside = ((held.features < low) | (held.features > high)).any(axis=1).astype(np.float64)
    usual = float(outside.mean())
    return make_chart(
        blocks.of(outside), usual=usual, allowance=0.1, most=max(0.8, usual + 0.2), share=1.0, ceiling=1.0
    )


def _inputs(workload: Workload, split: Split, held: Part) -> dict[str, InputReference]:
    watched = [at for at, feature in enumerate(workload.features) if not feature.declaration.clock]
    train = split.train
    hours = _hour_numbers(train, held)
    found = {}
    for at in watched:
        learnt, other = train.features[:, at], held.features[:, at]
        edges = make_edges(learnt)
        counts = histogram(learnt, edges)
        shares = counts / counts.sum()
        if hours is None:
            thresholds = thresholds_of_rows(histogram(other, edges), shares, LEAST_DAY_ROWS, 1 / len(watched))
        else:
            held_hours, learnt_hours = _by_hour(hours, learnt, other, edges)
            thresholds = thresholds_of_days(day_distances(held_hours, learnt_hours), 1 / len(watched))
        varied = len(np.unique(learnt)) >= _FEWEST_VALUES
        found[workload.feature_names[at]] = InputReference(
            edges=tuple(edges.tolist()),
            shares=tuple(np.round(shares, 6).tolist()),
            thresholds=thresholds,
            scale=scale_of(learnt),
            longest_run=_run(split, learnt) if varied else None,
        )
    return found


def _hour_numbers(train: Part, held: Part) -> npt.NDArray[np.int64] | None:
    """The hour of each training row and of each held-out row after them, rising from 0; None without enough days."""
    if train.measured_at is None or held.measured_at is None:
        return None
    hours = np.concatenate([train.measured_at, held.measured_at]).astype("datetime64[h]")
    distinct, numbers = np.unique(hours, return_inverse=True)
    return numbers.reshape(-1) if len(distinct) >= 2 * _FEWEST_DAYS * _DAY else None


def _by_hour(
    hours: npt.NDArray[np.int64], learnt: Rows, other: Rows, edges: Doubles
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Counts of all rows and of the training rows, int64 [hours, bins] each."""
    bins, size = len(edges) + 1, int(hours.max()) + 1
    cells = hours * bins + np.searchsorted(edges, np.concatenate([learnt, other]), side="right")
    every = np.bincount(cells, minlength=size * bins).reshape(size, bins)
    known = np.bincount(cells[: len(learnt)], minlength=size * bins).reshape(size, bins)
    return every, known


def _run(split: Split, values: npt.NDArray[np.floating]) -> int | None:
    return longest_run(values) if split.kind == "time" else None
