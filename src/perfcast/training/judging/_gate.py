"""The promotion gate: whether a candidate answers better than the champion, on the same held-out rows."""

from dataclasses import dataclass

import numpy as np

from perfcast.datasets import Part
from perfcast.errors import BrokenVersion
from perfcast.export import run
from perfcast.training.judging._metrics import score
from perfcast.workloads import Rows, Workload

MARGIN = 0.01
"""Share by which a candidate's error must be less than the champion's."""


@dataclass(frozen=True)
class Verdict:
    """The gate's decision, its reason as a sentence, and the errors it compared (percent or the cost's unit)."""

    promote: bool
    reason: str
    candidate_error: float
    champion_error: float | None = None


def judge(
    candidate: bytes,
    champion: bytes | None,
    part: Part,
    workload: Workload,
    *,
    margin: float = MARGIN,
    champions_rows: Rows | None = None,
) -> Verdict:
    """Decide.

    Args:
        candidate: A serialised graph.
        champion: The present champion's, or None where there is none.
        part: Rows that neither has learnt from, tuned by or been calibrated with.
        workload: What both predict.
        margin: Share by which the candidate's error must be less.
        champions_rows: The part's features as the champion's own declaration reads them; None where it is the same.

    Raises:
        BrokenVersion: The candidate can't be run.
    """
    name, unit = ("MAPE", "%") if workload.cost.relative else ("MAE", f" {workload.cost.unit}".rstrip())
    error = score(workload, part.cost, run(candidate, part.features))
    said = f"{name} {error:.4g}{unit} on {len(part)} held-out rows"
    if not np.isfinite(error):
        return Verdict(
            promote=False, reason="stays a candidate: its predictions are not all finite", candidate_error=error
        )
    if champion is None:
        return Verdict(promote=True, reason=f"promoted: {said}, and there is no champion yet", candidate_error=error)
    try:
        present = score(workload, part.cost, run(champion, part.features if champions_rows is None else champions_rows))
    except BrokenVersion as broken:
        return Verdict(
            promote=True, reason=f"promoted: {said}, and the champion can't be run ({broken})", candidate_error=error
        )
    against = f"{said} against the champion's {present:.4g}{unit}"
    if error < present * (1 - margin) or not np.isfinite(present):
        return Verdict(promote=True, reason=f"promoted: {against}", candidate_error=error, champion_error=present)
    return Verdict(
        promote=False,
        reason=f"stays a candidate: {against}; it must be {margin:.0%} better",
        candidate_error=error,
        champion_error=present,
    )
