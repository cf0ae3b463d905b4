"""What a variant gains and what it costs, measured beside its original."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import numpy as np

from perfcast.datasets import Dataset
from perfcast.errors import Refused
from perfcast.export import measure, run
from perfcast.manifest import Draft, GraphFacts, Manifest, Metrics
from perfcast.sessions import COST, FEATURES, open_session
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
    workload, split = workload_from_document(manifest.workload), dataset.split()
    test = split.test
    old, new = run(graph, test.features), run(changed, test.features)
    if not np.isfinite(new).all():
        raise Refused(f"{name} gives a cost that is not a finite number on held-out rows")
    calibration = calibrate(workload, split.calibrate.cost, run(changed, split.calibrate.features))
    metrics = evaluate(test.cost, new, calibration)
    times = _side_by_side(graph, changed, test.features)
    facts = measure(changed, test.features)
    figures = [
        Figures(score(workload, test.cost, answers), size, *both)
        for answers, size, both in zip((old, new), (len(graph), len(changed)), times, strict=True)
    ]
    difference = _difference(workload, old, new)
    facts = msgspec.structs.replace(facts, row_us=figures[1].row_us)
    if manifest.keeps_trends:
        manifest = _with_proof(manifest, broken_trends(workload, partial(run, changed), split.calibrate.features))
    about = {"variant": name, "of": number, "measured": _plain(figures, difference)}
    return Variation(
        _draft(manifest, changed, facts, metrics, calibration, about),
        name,
        figures[0],
        figures[1],
        difference,
        "MAPE" if workload.cost.relative else "MAE",
    )


def _with_proof(manifest: Manifest, broken: str) -> Manifest:
    """The original's manifest, which keeps its word on trends only where the variant does."""
    return msgspec.structs.replace(manifest, keeps_trends=not broken, notes=(*manifest.notes, *filter(None, [broken])))


def _draft(
    manifest: Manifest, graph: bytes, facts: GraphFacts, metrics: Metrics, calibration: Any, about: Mapping[str, Any]
) -> Draft:
    note = f"{about['variant']} of version {about['of']}; measured against that one's graph, not against a native model"
    made = msgspec.structs.replace(
        manifest,
        graph=facts,
        metrics=metrics,
        calibration=calibration,
        parity=None,
        created_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        settings={**manifest.settings, **about},
        notes=(*manifest.notes, note),
    )
    return Draft(graph, msgspec.json.decode(made.to_json(), type=Manifest))


def _difference(workload: Workload, old: Rows, new: Rows) -> Difference:
    apart = np.abs(new.astype(np.float64) - old)
    if workload.cost.relative:
        apart = 100 * apart / np.maximum(np.abs(old), np.finfo(np.float32).tiny)
    unit = " %" if workload.cost.relative else f" {workload.cost.unit}".rstrip()
    return Difference(float(np.median(apart)), float(np.quantile(apart, 0.99)), float(apart.max()), unit)


def _side_by_side(one: bytes, two: bytes, features: Rows) -> list[tuple[float, float]]:
    """Microseconds a row, alone and in a batch, of each: the least of several rounds in turns, against disturbances."""
    batch = np.resize(features, (BATCH, features.shape[1]))
    sessions = [open_session(graph) for graph in (one, two)]
    alone: list[list[float]] = [[], []]
    many: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for place, session in enumerate(sessions):
            alone[place].append(_median_us(session, [features[[row % len(features)]] for row in range(200)]))
            many[place].append(_median_us(session, [batch] * 5) / BATCH)
    return [(round(min(alone[place]), 2), round(min(many[place]), 3)) for place in (0, 1)]


def _median_us(session: Any, calls: list[Rows]) -> float:
    times = []
    for rows in calls:
        begin = time.perf_counter_ns()
        session.run([COST], {FEATURES: rows})
        times.append(time.perf_counter_ns() - begin)
    return statistics.median(times) / 1000


def _plain(figures: list[Figures], difference: Difference) -> dict[str, Any]:
    before, after = (asdict(item) for item in figures)
    return {"before": before, "after": after, "difference": asdict(difference)}
