"""A version's held-out rows and its answers to them, asked for again through its graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.datasets import Dataset, DatasetRecord, Datasets, Part, Split
from perfcast.errors import InvalidData, NotFound
from perfcast.manifest import DEFAULT_COVERAGE, DataFacts
from perfcast.registry import Version
from perfcast.reports._described import workload_of
from perfcast.workloads import Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from perfcast.workloads import Rows

    Predict: TypeAlias = Callable[[Rows], Rows]

Doubles: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NoEvidence:
    """Why a version's held-out rows can't be looked at: a sentence, and where its rows came from if that is known."""

    why: str
    provenance: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Evidence:
    """Held-out rows of a version and its answers to them.

    Attributes:
        workload: What is predicted.
        part: The rows.
        predicted: Its answers, float64 [rows], in the cost's unit.
        bounds: Its intervals at 0.9 as they were calibrated, float64 [rows] each; None where it has none.
        predict: Asks the graph: float32 [rows, features] to float32 [rows].
        dataset: The whole dataset.
        split: Its parts; None where they aren't the ones the version learnt from.
        provenance: Where the rows come from.
    """

    workload: Workload
    part: Part
    predicted: Doubles
    bounds: tuple[Doubles, Doubles] | None
    predict: "Predict"
    dataset: Dataset
    split: Split | None
    provenance: Mapping[str, Any]

    @property
    def measured(self) -> Doubles:
        """What it really cost, float64 [rows]."""
        return self.part.cost.astype(np.float64)

    @property
    def residuals(self) -> Doubles:
        """Predicted − measured, float64 [rows]; in percent of the measured cost where errors are relative."""
        return self.of(self.measured, self.predicted)

    @property
    def unit(self) -> str:
        """The unit of errors."""
        return "%" if self.workload.cost.relative else self.workload.cost.unit

    def of(self, measured: Doubles, predicted: Doubles) -> Doubles:
        """The residuals of any rows, float64 [rows]."""
        error = predicted - measured
        return 100 * error / measured if self.workload.cost.relative else error


def find_evidence(version: Version, graph: bytes, datasets: Datasets) -> Evidence | NoEvidence:
    """The rows that a version was judged on, if they are still known, and its answers to them.

    Args:
        version: Which.
        graph: Its serialised ONNX graph.
        datasets: Where rows are kept.
    """
    facts = version.manifest.data
    if facts is None:
        return NoEvidence("it doesn't say which rows it was made from")
    try:
        record = datasets.find(facts.name, facts.digest)
    except NotFound:
        return NoEvidence(f"its dataset, {facts.name}@{facts.digest[:8]}, isn't kept here")
    return _of_record(version, graph, datasets, record, facts)


def _of_record(
    version: Version, graph: bytes, datasets: Datasets, record: DatasetRecord, facts: DataFacts
) -> Evidence | NoEvidence:
    from perfcast.sessions import open_session, run, run_with_spread

    dataset = datasets.load(record)
    workload = workload_of(version.manifest)
    if workload.feature_names != dataset.workload.feature_names:
        return NoEvidence("it reads other features than its dataset has", record.provenance)
    split = _split(dataset, facts)
    part = split.test if split is not None else _newest(dataset, facts)
    if part is None:
        return NoEvidence("it learnt from a part of its dataset that can't be told from the rest", record.provenance)
    session = open_session(graph, version.reference)
    cost, spread = run_with_spread(session, part.features)
    predicted = cost.astype(np.float64)
    table = version.manifest.calibration
    bounds = None if table is None else table.intervals(predicted, DEFAULT_COVERAGE, spread)
    return Evidence(
        workload, part, predicted, bounds, lambda rows: run(session, rows), dataset, split, record.provenance
    )


def _split(dataset: Dataset, facts: DataFacts) -> Split | None:
    """The parts of the dataset, if they are those that the version was made with."""
    try:
        split = dataset.split()
    except InvalidData:
        return None
    counts = {"train": len(split.train), "calibrate": len(split.calibrate), "test": len(split.test)}
    return split if counts == dict(facts.parts) else None


def _newest(dataset: Dataset, facts: DataFacts) -> Part | None:
    """Where it learnt from some of the rows only: as many as it was judged on, all newer than what it learnt from."""
    rows, asked = dataset.rows, facts.parts.get("test", 0)
    if rows.measured_at is None or facts.learnt_until is None:
        return None
    newer = np.flatnonzero(rows.measured_at > np.datetime64(facts.learnt_until.removesuffix("Z")))
    chosen = newer[np.argsort(rows.measured_at[newer], kind="stable")][-asked:]
    return rows.take(chosen) if asked and len(chosen) else None
