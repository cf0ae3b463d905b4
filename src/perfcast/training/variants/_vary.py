"""What a variant gains and what it costs, measured beside its original."""

import statistics
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import numpy as np

from perfcast.datasets import Dataset, Part, Split
from perfcast.errors import Refused
from perfcast.explanation import choose_background, importance
from perfcast.export import measure, run, run_with_spread
from perfcast.manifest import CALIBRATED, Draft, Manifest
from perfcast.sessions import COST, FEATURES, open_session
from perfcast.training._path import Path
from perfcast.training.judging import broken_trends, calibrate, evaluate, score
from perfcast.workloads import Rows, Workload, workload_from_document

ROUNDS = 5
BATCH = 1000
_SMALLER, _FASTER, _BETTER = 0.98, 0.95, 0.995
"""Shares of the original's figure below which it counts as less, beyond what measuring it twice would differ by."""


@dataclass(frozen=True)
class Figures:
    """One of the two.

    Attributes:
        error: Mean absolute percentage error where errors are relative, else mean absolute error, on held-out rows.
        bytes: Of the graph.
        row_us: Time of one row, microseconds: the least of some rounds' medians.
        batch_us: The same for each row in a call with `BATCH` rows, microseconds.
    """

    error: float
    bytes: int
    row_us: float
    batch_us: float


@dataclass(frozen=True)
class Difference:
    """How far the two answers are apart on held-out rows: percent of the original's, or in the cost's unit."""

    median: float
    p99: float
    worst: float
    unit: str


@dataclass(frozen=True)
class Variation:
    """A variant, ready to be registered, and what was measured."""

    draft: Draft
    name: str
    before: Figures
    after: Figures
    difference: Difference
    error_name: str

    @property
    def gains(self) -> tuple[str, ...]:
        """In what it is better than its original; empty where in nothing."""
        before, after = self.before, self.after
        quicker = after.row_us < _FASTER * before.row_us or after.batch_us < _FASTER * before.batch_us
        found = {
            "smaller": after.bytes < _SMALLER * before.bytes,
            "quicker": quicker,
            "more accurate": after.error < _BETTER * before.error,
        }
        return tuple(name for name, true in found.items() if true)

    @property
    def summary(self) -> str:
        """The figures as a sentence."""
        before, after, apart = self.before, self.after, self.difference
        return (
            f"{self.error_name} {before.error:.4g} → {after.error:.4g}, {before.bytes / 1000:,.0f} → "
            f"{after.bytes / 1000:,.0f} kB, {before.row_us:.3g} → {after.row_us:.3g} µs for one row, "
            f"{before.batch_us:.3g} → {after.batch_us:.3g} µs a row in a batch; answers differ by "
            f"{apart.median:.2g}{apart.unit} (median), {apart.p99:.2g}{apart.unit} (99 of 100 rows), "
            f"{apart.worst:.2g}{apart.unit} (worst)"
        )

    def require_gain(self) -> None:
        """Refuse what is better in nothing.

        Raises:
            Refused: It is; the text has the figures.
        """
        if not self.gains:
            raise Refused(
                f"{self.name} is neither smaller, quicker nor more accurate: {self.summary}; --force keeps it"
            )


def vary(original: tuple[int, Manifest, bytes], changed: bytes, dataset: Dataset, *, name: str) -> Variation:
    """Judge a changed graph as its original was judged, size its intervals anew, and measure both side by side.

    Args:
        original: The version's number, manifest and graph.
        changed: The variant's graph.
        dataset: The rows that the original has learnt from; its parts are made again.
        name: What the variant is called, such as `int8`.

    Raises:
        Refused: It gives a cost that is not finite.
    """
    number, manifest, graph = original
    if manifest.type == CALIBRATED:
        raise Refused(f"version {number} has learnt from all its rows, so none is left to judge {name} by")
    workload, split = workload_from_document(manifest.workload), dataset.split()
    path = Path(workload, manifest.path)
    sized, test = _parts(split, manifest)
    predict = partial(run, changed)
    old, (new, spread) = run(graph, test.features), run_with_spread(changed, test.features)
    if not np.isfinite(new).all():
        raise Refused(f"{name} gives a cost that is not a finite number on held-out rows")
    calibration = calibrate(workload, sized.cost, *run_with_spread(changed, sized.features))
    times = _side_by_side([graph, changed], test.features)
    before = Figures(score(workload, test.cost, old), len(graph), *times[0])
    after = Figures(score(workload, test.cost, new), len(changed), *times[1])
    difference = _difference(workload, old, new)
    broken = broken_trends(path, predict, split.calibrate.features) if manifest.keeps_trends is not None else ""
    note = f"{name} of version {number}; measured against that one's graph, not against a native model"
    measured = {"before": asdict(before), "after": asdict(after), "difference": asdict(difference)}
    made = msgspec.structs.replace(
        manifest,
        graph=msgspec.structs.replace(measure(changed, test.features), row_us=after.row_us),
        metrics=evaluate(test.cost, new, calibration, spread),
        calibration=calibration,
        importance=importance(workload, predict, test.features, choose_background(split.train.features)),
        parity=None,
        created_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        settings={**manifest.settings, "variant": name, "of": number, "measured": measured},
        keeps_trends=False if broken else manifest.keeps_trends,
        notes=(*manifest.notes, *([f"{name} {broken}"] if broken else []), note),
    )
    draft = Draft(changed, msgspec.json.decode(made.to_json(), type=Manifest))
    return Variation(draft, name, before, after, difference, "MAPE" if workload.cost.relative else "MAE")


def _parts(split: Split, manifest: Manifest) -> tuple[Part, Part]:
    """The rows to size intervals by, and those to judge by.

    Where the original has learnt from the calibrating rows since, each is every other one of the held-out rows.
    """
    if not manifest.learnt_all:
        return split.calibrate, split.test
    even = np.arange(len(split.test)) % 2 == 0
    return split.test.take(even), split.test.take(~even)


def _difference(workload: Workload, old: Rows, new: Rows) -> Difference:
    apart = np.abs(new.astype(np.float64) - old)
    if workload.cost.relative:
        apart = 100 * apart / np.maximum(np.abs(old), np.finfo(np.float32).tiny)
    unit = " %" if workload.cost.relative else f" {workload.cost.unit}".rstrip()
    return Difference(float(np.median(apart)), float(np.quantile(apart, 0.99)), float(apart.max()), unit)


def _side_by_side(graphs: list[bytes], features: Rows) -> list[tuple[float, float]]:
    """Microseconds a row, alone and in a batch, of each: the least of several rounds in turns, against disturbances."""
    batch = np.resize(features, (BATCH, features.shape[1]))
    rows = [features[[row % len(features)]] for row in range(200)]
    sessions = [open_session(graph) for graph in graphs]
    rounds = [
        [(_median_us(session, rows), _median_us(session, [batch] * 5) / BATCH) for session in sessions]
        for _ in range(ROUNDS)
    ]
    return [(round(alone, 2), round(many, 3)) for alone, many in np.array(rounds).min(axis=0).tolist()]


def _median_us(session: Any, calls: list[Rows]) -> float:
    times = []
    for rows in calls:
        begin = time.perf_counter_ns()
        session.run([COST], {FEATURES: rows})
        times.append(time.perf_counter_ns() - begin)
    return statistics.median(times) / 1000
