"""The promotion gate at work: whether a registered version becomes champion, also when others move it meanwhile."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from perfcast.datasets import FEWEST, Dataset, Part
from perfcast.errors import BrokenVersion, Conflict, InvalidData
from perfcast.registry import CHAMPION, Registry, Version
from perfcast.workloads import differences, encoded_for, same_rows, workload_from_document

if TYPE_CHECKING:
    from perfcast.training import Verdict

_RACES = 3


def promote_if_better(registry: Registry, best: Version, dataset: Dataset, *, actor: str) -> str:
    """Compare a version with the present champion on rows that neither has learnt from, and move the alias if it wins.

    Gives what was decided, and why.
    """
    for _ in range(_RACES):
        number = registry.model(best.model).aliases.get(CHAMPION)
        champion = None if number is None else registry.version(best.model, number)
        verdict = _verdict(registry, best, champion, dataset)
        try:
            if verdict.promote:
                registry.point(best.model, CHAMPION, best.number, expect=number, reason=verdict.reason, actor=actor)
        except Conflict:  # somebody moved the champion meanwhile: judge against the new one
            continue
        return verdict.reason
    return "stays a candidate: the champion changed again and again while it was judged"


def _verdict(registry: Registry, best: Version, champion: Version | None, dataset: Dataset) -> "Verdict":
    from perfcast.training import judge

    split, workload = dataset.split(), dataset.workload
    if champion is None:
        return judge(registry.graph(best), None, split, workload)
    theirs = workload_from_document(champion.manifest.workload)
    unseen = _unseen(split.test, champion)
    try:
        champions_rows = encoded_for(unseen.features, workload, theirs)
    except InvalidData as error:
        why = f"the champion's declaration differs, and these rows can't be put into its terms: {error}"
        return _unjudged(f"{why}; activate it yourself")
    if len(unseen) < FEWEST:
        return _unjudged("the champion has learnt from these rows or newer ones, so they can't be compared")
    held, graphs = replace(split, test=unseen), (registry.graph(best), _bytes(registry, champion))
    verdict = judge(*graphs, held, workload, champions_rows=champions_rows)
    changed = differences(theirs, workload)
    if not changed:
        return verdict
    each = "each read the rows by its own declaration" if not same_rows(theirs, workload) else "the declaration changed"
    return replace(verdict, reason=f"{verdict.reason}; {each}: {'; '.join(changed)}")


def _bytes(registry: Registry, champion: Version) -> bytes:
    """The champion's graph; nothing where it is lost or altered, which no runtime can read, so that it loses."""
    try:
        return registry.graph(champion)
    except BrokenVersion:
        return b""


def _unseen(test: Part, champion: Version) -> Part:
    """The rows that are newer than all that the champion has learnt from; all where time doesn't tell."""
    until = champion.manifest.data.learnt_until if champion.manifest.data else None
    if until is None or test.measured_at is None:
        return test
    return test.take(test.measured_at > np.datetime64(until.removesuffix("Z")))


def _unjudged(why: str) -> "Verdict":
    from perfcast.training import Verdict

    return Verdict(promote=False, reason=f"stays a candidate: {why}")
