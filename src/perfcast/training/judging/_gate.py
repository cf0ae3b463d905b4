"""The promotion gate: whether a candidate beats a constant and the champion, on the same held-out rows."""

from dataclasses import dataclass

import numpy as np

from perfcast.datasets import Split, configuration_numbers
from perfcast.errors import BrokenVersion
from perfcast.export import run
from perfcast.training.judging._metrics import score
from perfcast.workloads import Rows, Workload

MARGIN = 0.01
"""Share by which a candidate's error must be less than the champion's, and than a constant's."""
FEWEST_CONFIGURATIONS = 30
"""Of these a fifth, 6, are held out: with fewer, however often each was measured, a model wins by chance."""


@dataclass(frozen=True)
class Verdict:
    """The gate's decision, and its reason as a sentence."""

    promote: bool
    reason: str


def judge(
    candidate: bytes, champion: bytes | None, split: Split, workload: Workload, *, champions_rows: Rows | None = None
) -> Verdict:
    """Decide.

    Args:
        candidate: A serialised graph.
        champion: The present champion's, or None where there is none.
        split: Its test part judges: rows that neither has learnt from, tuned by or been calibrated with.
        workload: What both predict.
        champions_rows: The test part's features as the champion's own declaration reads them, where it differs.

    Raises:
        BrokenVersion: The candidate can't be run.
    """
    part, (name, unit) = split.test, _measure(workload)
    error = score(workload, part.cost, run(candidate, part.features))

    said = f"{name} {error:.4g}{unit} on {len(part)} held-out rows"
    if not np.isfinite(error):
        return _verdict("its predictions are not all finite", promote=False)
    if lacks := _lacks(workload, split, error):
        return _verdict(f"{said}; {lacks}", promote=False)
    if champion is None:
        return _verdict(f"{said}, and there is no champion yet", promote=True)
    try:
        present = score(workload, part.cost, run(champion, part.features if champions_rows is None else champions_rows))
    except BrokenVersion as broken:
        return _verdict(f"{said}, and the champion can't be run ({broken})", promote=True)
    against = f"{said} against the champion's {present:.4g}{unit}"
    if error < present * (1 - MARGIN) or not np.isfinite(present):
        return _verdict(against, promote=True)
    return _verdict(f"{against}; it must be {MARGIN:.0%} better", promote=False)


def _verdict(reason: str, *, promote: bool) -> Verdict:
    return Verdict(promote, f"{'promoted' if promote else 'stays a candidate'}: {reason}")


def _lacks(workload: Workload, split: Split, error: float) -> str:
    """What is missing for any promotion, champion or not; empty where nothing is."""
    constant, lacks = best_constant(workload, split.train.cost), []
    always = score(workload, split.test.cost, np.full(len(split.test), constant, dtype=np.float32))
    if not error < always * (1 - MARGIN):
        name, unit = _measure(workload)
        answer = f"{constant:.4g} {workload.cost.unit}".rstrip()
        lacks.append(f"no better than always answering {answer}, which has {name} {always:.4g}{unit}")
    if split.kind == "configuration":  # of a time series each row is an observation of its own
        parts = (split.train, split.calibrate, split.test)
        configurations = sum(int(configuration_numbers(part.features).max()) + 1 for part in parts)
        if configurations < FEWEST_CONFIGURATIONS:
            lacks.append(f"{configurations} configurations are few, measure at least {FEWEST_CONFIGURATIONS}")
    return "; ".join(lacks)


def _measure(workload: Workload) -> tuple[str, str]:
    """The name of the error that is compared, and what stands behind its number."""
    return ("MAPE", "%") if workload.cost.relative else ("MAE", f" {workload.cost.unit}".rstrip())


def best_constant(workload: Workload, cost: Rows) -> float:
    """The one answer with the least `score` on these costs: their median, weighted by 1 ÷ cost where relative.

    Unweighted it would be no yardstick there: on costs of several magnitudes the median's MAPE is thousands of percent.
    """
    values = np.sort(cost.astype(np.float64))
    weights = np.cumsum(1 / values if workload.cost.relative else np.ones(len(values)))
    return float(values[np.searchsorted(weights, weights[-1] / 2)])
