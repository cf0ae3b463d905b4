"""From drafts to versions, and from the best version to a champion: each step once, however often it is begun."""

from collections.abc import Callable, Sequence
from typing import Literal

import sqlalchemy as sa

from perfcast.datasets import Dataset
from perfcast.jobs.run._gate import promote_if_better
from perfcast.manifest import Draft
from perfcast.registry import CHAMPION, Registry, Version

DECIDED = ("promoted", "stays a candidate")
"""How the gate's reasons begin; a version's note may hold other remarks before."""


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
        reason = promote_if_better(registry, best, dataset, actor=actor)
    registry.annotate(best, reason)
    return reason
