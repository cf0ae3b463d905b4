"""From drafts to versions, and from the best version to a champion: each step once, however often it is begun."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from perfcast.datasets import BY_HASH, FEWEST, Dataset, Part, configuration_numbers, held_out
from perfcast.errors import BrokenVersion, Conflict, InvalidData
from perfcast.manifest import CALIBRATED, Draft
from perfcast.registry import CHAMPION, Registry, Version
from perfcast.workloads import Rows, Workload, differences, encoded_for, same_rows, workload_from_document

if TYPE_CHECKING:
    from perfcast.training import Verdict

DECIDED = ("promoted", "stays a candidate")
"""How the gate's reasons begin; a version's note may hold other remarks before."""
FEWEST_UNSEEN = 20
"""Of so many configurations that a champion hasn't learnt from an error means anything."""
_RACES = 3


def register(
    registry: Registry,
    drafts: Sequence[Draft],
    *,
    model: str,
    dataset: str,
    run: str,
    within: Callable[[sa.Connection, list[Version]], None] | None = None,
) -> list[Version]:
    """Register what a run made, given best first, all or nothing; gives the versions with the best one last.

    Their notes say which run it was; `within` is that of `Registry.add_all`.
    """
    ordered = drafts[::-1]
    best = ordered[-1].manifest.type
    notes = [f"the best {draft.manifest.type} of {run} whose best was {best}" for draft in ordered[:-1]]
    return registry.add_all(model, ordered, dataset=dataset, notes=[*notes, ""], within=within)


def promote(
    registry: Registry, best: Version, dataset: Dataset, *, wanted: Literal["auto", "never"], actor: str
) -> str:
    """Let the gate decide whether the best version of a run becomes champion, unless that is never wanted.

    Gives what was decided and why, which is also the version's note from now on. Doing it again changes nothing.
    """
    if best.note.startswith(DECIDED):  # an earlier attempt got this far
        return best.note
    if wanted == "never":
        reason = "stays a candidate: promotion was not asked for"
    elif registry.model(best.model).aliases.get(CHAMPION) == best.number:  # killed before the note was written
        reason = next(event.reason for event in registry.history(best.model) if event.after == best.number)
    else:
        reason = _promote_if_better(registry, best, dataset, actor=actor)
    registry.annotate(best, reason)
    return reason


def _promote_if_better(registry: Registry, best: Version, dataset: Dataset, *, actor: str) -> str:
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
    try:
        encoded = encoded_for(split.test.features, workload, theirs)
    except InvalidData as error:
        why = f"the champion's declaration differs, and these rows can't be put into its terms: {error}"
        return _unjudged(f"{why}; activate it yourself")
    unseen = _unseen(split.test, encoded, champion, theirs)
    if lacks := _lacks(encoded, unseen, champion):
        return _unjudged(lacks)
    held, graphs = replace(split, test=split.test.take(unseen)), (registry.graph(best), _bytes(registry, champion))
    verdict = judge(*graphs, held, workload, champions_rows=encoded[unseen])
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


def _by_hash(champion: Version) -> bool:
    return champion.manifest.data is not None and champion.manifest.data.split.startswith(BY_HASH)


def _unseen(test: Part, encoded: Rows, champion: Version, theirs: Workload) -> npt.NDArray[np.bool_]:
    """Which rows the champion has not learnt from, as far as its manifest tells: bool [rows].

    Those that are newer than all it learnt from, or those that its own split kept for judging, which the hash of their
    `encoded` features decides: another declaration encodes the same configuration otherwise.
    """
    if _by_hash(champion):
        return held_out(encoded, theirs.identifying)
    if champion.manifest.type == CALIBRATED:  # which has learnt from all its rows, and doesn't say which they are
        return np.zeros(len(test), dtype=np.bool_)
    until = champion.manifest.data.learnt_until if champion.manifest.data else None
    if until is None or test.measured_at is None:
        return np.ones(len(test), dtype=np.bool_)
    newer: npt.NDArray[np.bool_] = test.measured_at > np.datetime64(until.removesuffix("Z"))
    return newer


def _lacks(encoded: Rows, unseen: npt.NDArray[np.bool_], champion: Version) -> str:
    """Why these rows are too few to compare by; empty where they are enough."""
    if unseen.all():
        return ""
    if not _by_hash(champion):
        why = "the champion has learnt from these rows or newer ones, so they can't be compared"
        return why if unseen.sum() < FEWEST else ""
    configurations = len(np.unique(configuration_numbers(encoded[unseen])))
    if configurations >= FEWEST_UNSEEN:
        return ""
    return (
        f"its split differs from the champion's, and {configurations} held-out configurations that the champion hasn't "
        f"learnt from are few to compare by (at least {FEWEST_UNSEEN}); activate it yourself"
    )


def _unjudged(why: str) -> "Verdict":
    from perfcast.training import Verdict

    return Verdict(promote=False, reason=f"stays a candidate: {why}")
