"""A trained model made into a version that can be registered: evaluated, calibrated, exported, checked."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import numpy as np

from perfcast.datasets import Dataset, Part, Split, newest_moment
from perfcast.explanation import choose_background, importance
from perfcast.export import Target, check_parity, compose, libraries, measure, run, run_with_spread
from perfcast.manifest import DataFacts, Draft, Manifest
from perfcast.training._path import Path
from perfcast.training.families import Fitted, Settings
from perfcast.training.judging import broken_trends, calibrate, evaluate, make_reference
from perfcast.workloads import Rows, Workload

MOST_PARITY_ROWS = 5_000
THRESHOLD_ROWS = 600


@dataclass(frozen=True)
class Trained:
    """A fitted family with what it takes to answer in the cost's unit.

    Attributes:
        path: What it predicts, of which inputs.
        family: Whose model it is, or `ensemble`.
        fitted: The native model, which answers.
        first: The same without the calibrating rows, if `fitted` has learnt from them; intervals are sized by it.
        target: How its answers become costs.
        settings: Those it was fitted with.
        score: Its tuning score.
        seconds: How long its final fit took.
        keeps_trends: Whether it keeps the workload's trends; None where the workload declares none.
        notes: Remarks for the manifest.
    """

    path: Path
    family: str
    fitted: Fitted
    target: Target
    settings: Settings = field(default_factory=dict)
    score: float | None = None
    seconds: float = 0.0
    keeps_trends: bool | None = None
    notes: tuple[str, ...] = ()
    first: Fitted | None = None

    def predict(self, features: Rows) -> Rows:
        """The native model's answer to float32 [rows, features]: float32 [rows], in the cost's unit and bounds."""
        return self.of_inputs(self.path.inputs(features))

    def of_inputs(self, inputs: Rows) -> Rows:
        """The same of float32 [rows, inputs], as the path gives them."""
        return self.target.to_cost(self.path.workload, self.fitted.predict(inputs))


def proven(model: Trained, features: Rows) -> Trained:
    """The model, which says that it keeps trends only if it does so on these rows.

    Where it goes against one a note says so, whether it promised to keep it or not.
    """
    if model.keeps_trends is None:
        return model
    broken = broken_trends(model.path, model.predict, features, model.of_inputs)
    return replace(model, keeps_trends=False, notes=(*model.notes, broken)) if broken else model


def draft(
    workload: Workload, dataset: Dataset, split: Split, model: Trained, *, search: Mapping[str, Any] | None = None
) -> Draft:
    """Evaluate, calibrate, export, check: all or nothing.

    `split` parts the dataset, and the model has never seen its last part; `search` sums up what found it.

    Raises:
        Refused: Graph and native model differ (rule R3), or the graph is too large.
    """
    begun = time.monotonic()
    graph = _composed(model, model.fitted)
    unseen = graph if model.first is None else _composed(model, model.first)
    first, second = run_with_spread(unseen, split.calibrate.features), run_with_spread(graph, split.test.features)
    if model.path.base is not None:
        first = model.path.base.as_unseen(first, split.calibrate.cost, split.calibrate.features)
    calibration = calibrate(workload, split.calibrate.cost, *first)
    metrics = evaluate(split.test.cost, second.cost, calibration, second.spread)
    parity = check_parity(
        graph, model.predict, parity_rows(model.path, model.fitted, split.test), relative=workload.cost.relative
    )
    manifest = Manifest(
        type=model.family,
        workload=dict(workload.document()),
        ranges=_ranges(workload, split.train),
        graph=measure(graph, split.test.features, model.predict),
        created_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        data=_data_facts(dataset, split),
        metrics=metrics,
        calibration=calibration,
        parity=parity,
        settings={**model.settings, "fit": model.fitted.details()},
        search={**(search or {}), "score": model.score},
        libraries=libraries(),
        seconds=round(model.seconds + time.monotonic() - begun, 2),
        keeps_trends=model.keeps_trends,
        path=model.path.slopes,
        base=model.path.base.version if model.path.base else "",
        learnt_all=model.first is not None,
        importance=importance(
            workload, partial(run, graph), split.test.features, choose_background(split.train.features)
        ),
        reference=make_reference(workload, split, (first, second), calibration),
        notes=(*model.notes, *left_out(search or {})),
    )
    return Draft(graph, msgspec.json.decode(manifest.to_json(), type=Manifest))


def _composed(model: Trained, fitted: Fitted) -> bytes:
    path = model.path
    base = path.base.graph if path.base else None
    return compose(path.workload, fitted.graph(), target=model.target, inputs=path.expressions, base=base)


def left_out(search: Mapping[str, Any]) -> tuple[str, ...]:
    """What a search's summary says of families that have no version."""
    return tuple(f"{family}: {why}" for family, why in search.get("left_out", {}).items())


def parity_rows(path: Path, fitted: Fitted, part: Part) -> Rows:
    """The rows on which graph and native model are compared (rule R3), float32 [rows, features].

    Held-out rows, and some of them with one feature moved onto a split threshold of the model and to the next float32
    on both sides. Rows whose derived quantities can't be computed after that are left out.
    """
    held, features = part.features[:MOST_PARITY_ROWS], path.features
    pairs = [(features[at], value) for at, values in fitted.thresholds().items() if at in features for value in values]
    if not pairs:
        return held
    random = np.random.default_rng(0)
    chosen = [pairs[index] for index in random.permutation(len(pairs))[:THRESHOLD_ROWS]]
    columns = np.array([position for position, _ in chosen])
    values = np.array([value for _, value in chosen], dtype=np.float32)
    moved = []
    for side in (values, np.nextafter(values, np.float32(-np.inf)), np.nextafter(values, np.float32(np.inf))):
        rows = part.features[random.integers(len(part), size=len(columns))].copy()
        rows[np.arange(len(columns)), columns] = side
        moved.append(rows)
    beside = np.concatenate(moved)
    return np.concatenate([held, beside[np.isfinite(path.workload.inputs(beside)).all(axis=1)]])


def _ranges(workload: Workload, part: Part) -> dict[str, tuple[float, float]]:
    lows, highs = part.features.min(axis=0).tolist(), part.features.max(axis=0).tolist()
    return {name: (low, high) for name, low, high in zip(workload.feature_names, lows, highs, strict=True)}


def _data_facts(dataset: Dataset, split: Split) -> DataFacts:
    return DataFacts(
        name=dataset.name,
        digest=dataset.digest,
        rows=len(dataset),
        configurations=dataset.configurations,
        parts={"train": len(split.train), "calibrate": len(split.calibrate), "test": len(split.test)},
        split=split.description,
        until=newest_moment(dataset.measured_at),
        learnt_until=newest_moment(split.calibrate.measured_at) if split.kind == "time" else None,
    )
