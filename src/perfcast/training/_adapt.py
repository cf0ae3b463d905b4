"""A version for a device of which few rows are measured: another version's answers, and what a process adds to them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from perfcast.datasets import Dataset, configuration_numbers
from perfcast.errors import InvalidData, Refused
from perfcast.export import Target, check_parity, compose, libraries, measure
from perfcast.manifest import CALIBRATED, DataFacts, Draft, Manifest
from perfcast.sessions import Costs
from perfcast.training._base import Base
from perfcast.training._path import Path
from perfcast.training.families import Beneath, FittedOnBase, SoftInputs, fit_process, soft_inputs
from perfcast.training.judging import calibrate, errors, evaluate
from perfcast.workloads import Rows

FEWEST, MOST = 5, 500
"""Rows to adapt by: with fewer nothing can be told of errors, with more `perfcast train --from` does better."""
FOLDS = 10


@dataclass(frozen=True)
class Adapted:
    """What came of it.

    Attributes:
        draft: The version.
        before: Mean absolute percentage error of the base on the measured rows.
        after: The same of the version, each row answered by a fit that hadn't seen it.
    """

    draft: Draft
    before: float
    after: float


def adapt(base: Base, dataset: Dataset, usual: Rows) -> Adapted:
    """Learn what a base leaves over of few rows.

    Each row's error is that of a fit without it, by which intervals are sized and the version is judged.

    Args:
        base: A version of the dataset's workload.
        dataset: Some tens of measured rows.
        usual: Rows such as will be asked, float32 [rows, features], by which inputs are scaled.

    Raises:
        InvalidData: There are too few rows or too many.
        Refused: The base is of another workload, or errors aren't relative.
    """
    begun = time.monotonic()
    _check(base, dataset)
    workload, cost = dataset.workload, dataset.cost
    learner = _Learner.of(base, dataset, usual)
    held = learner.target.to_cost(workload, learner.held())
    fitted = learner.fit(np.ones(len(cost), dtype=np.bool_))
    graph = compose(workload, fitted.graph(), target=learner.target, inputs=learner.path.expressions, base=base.graph)
    held = base.as_unseen(Costs(held, None), cost, dataset.features).cost
    calibration = calibrate(workload, cost, held)

    def predict(features: Rows) -> Rows:
        return learner.target.to_cost(workload, fitted.predict(learner.path.inputs(features)))

    manifest = Manifest(
        type=CALIBRATED,
        workload=dict(workload.document()),
        ranges=_ranges(base, dataset),
        graph=measure(graph, dataset.features, predict),
        created_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        data=_data_facts(dataset),
        metrics=evaluate(cost, held, calibration),
        calibration=calibration,
        parity=check_parity(graph, predict, np.concatenate([dataset.features, usual]), relative=True),
        settings={**fitted.settings, "fit": fitted.details()},
        libraries=libraries(),
        seconds=round(time.monotonic() - begun, 2),
        base=base.version,
        notes=(f"adapted to {len(cost)} rows; its errors are of fits without the rows that they are judged on",),
    )
    before, after = (100 * float(errors(workload, cost, answers).mean()) for answers in (learner.known, held))
    return Adapted(Draft(graph, manifest), before, after)


@dataclass(frozen=True)
class _Learner:
    """What the fits of all folds share.

    Attributes:
        path: What is predicted, of which inputs.
        target: What is learnt of the cost.
        inputs: float32 [rows, inputs], the base's cost last.
        wanted: float32 [rows].
        soft: Scaling of the inputs but the last.
        groups: Which fold each row is held in, int64 [rows].
    """

    path: Path
    target: Target
    inputs: Rows
    wanted: Rows
    soft: SoftInputs
    groups: npt.NDArray[np.int64]

    @staticmethod
    def of(base: Base, dataset: Dataset, usual: Rows) -> "_Learner":
        path, target = Path(dataset.workload, base=base), Target.of(dataset.workload, dataset.cost)
        numbers = configuration_numbers(dataset.features)
        groups = (np.random.default_rng(0).permutation(numbers.max() + 1) % FOLDS)[numbers]
        inputs = path.inputs(dataset.features)
        scaled = path.inputs(usual)[:, :-1]
        return _Learner(path, target, inputs, target.from_cost(dataset.cost), soft_inputs(scaled), groups)

    @property
    def known(self) -> Rows:
        """The base's cost, float32 [rows]."""
        return self.inputs[:, -1]

    def fit(self, learnt: npt.NDArray[np.bool_]) -> FittedOnBase:
        """Fit the chosen rows."""
        beneath = Beneath(self.target, 1.0)
        left = self.wanted - beneath(self.inputs)
        process = fit_process(self.soft, np.ascontiguousarray(self.inputs[learnt, :-1]), left[learnt])
        return FittedOnBase(process, beneath)

    def held(self) -> Rows:
        """Each row's target by a fit without its fold, float32 [rows]."""
        answers = np.zeros_like(self.wanted)
        for fold in np.unique(self.groups):
            inside = self.groups == fold
            answers[inside] = self.fit(~inside).predict(self.inputs[inside])
        return answers


def _check(base: Base, dataset: Dataset) -> None:
    base.require(dataset.workload)
    if not dataset.workload.cost.relative:
        raise Refused(f"'{dataset.workload.name}' judges errors absolutely; only where they are relative can it adapt")
    if not FEWEST <= len(dataset.cost) <= MOST:
        raise InvalidData(
            f"{len(dataset.cost)} rows to adapt by; expected {FEWEST} to {MOST}: with more use perfcast train --from"
        )


def _ranges(base: Base, dataset: Dataset) -> Mapping[str, tuple[float, float]]:
    """What the base has seen, and these rows."""
    found = {}
    for name, column in zip(dataset.workload.feature_names, dataset.features.T, strict=True):
        low, high = base.manifest.ranges.get(name, (float(column.min()), float(column.max())))
        found[name] = (min(low, float(column.min())), max(high, float(column.max())))
    return found


def _data_facts(dataset: Dataset) -> DataFacts:
    rows = len(dataset.cost)
    return DataFacts(
        name=dataset.name,
        digest=dataset.digest,
        rows=rows,
        configurations=dataset.configurations,
        parts={"train": rows, "calibrate": rows, "test": rows},
        split=f"each row is judged by one of {min(FOLDS, rows)} fits, which hasn't seen it",
    )
