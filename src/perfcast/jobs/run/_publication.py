"""From drafts to versions, and from the best version to a champion: each step once, however often it is begun."""

from collections.abc import Sequence
from dataclasses import dataclass

from perfcast.datasets import Dataset
from perfcast.jobs.queue import Job, Jobs
from perfcast.jobs.run._gate import promote_if_better
from perfcast.manifest import Draft
from perfcast.registry import CHAMPION, Registry

DECIDED = ("promoted", "stays a candidate")
"""How the gate's reasons begin; a version's note may hold other remarks before."""


@dataclass(frozen=True)
class Published:
    """What became of a job's best version."""

    version: int
    promoted: bool
    outcome: str


def register(registry: Registry, jobs: Jobs, job: Job, drafts: Sequence[Draft]) -> tuple[int, ...]:
    """Register a job's drafts, once: the numbers are written into the job's row in the same transaction.

    Args:
        registry: Where the versions go.
        jobs: Where the job's row is.
        job: As it was claimed.
        drafts: Best first.

    Returns:
        The versions' numbers, the best one last, so that it has the highest.

    Raises:
        Fenced: The job is no longer this claim's, or was cancelled; nothing was registered.
    """
    ordered = list(reversed(drafts))
    best = ordered[-1].manifest.type
    notes = [f"the best {draft.manifest.type} of job {job.id}, whose best was {best}" for draft in ordered[:-1]]
    versions = registry.add_all(
        job.request.model, ordered, dataset=job.request.dataset, notes=[*notes, ""], within=jobs.recording(job.fence)
    )
    return tuple(version.number for version in versions)


def promote(registry: Registry, job: Job, numbers: Sequence[int], dataset: Dataset) -> Published:
    """Let the gate decide whether the best version becomes champion. Doing it again changes nothing.

    Args:
        registry: Where the versions are.
        job: Which registered them.
        numbers: Of the versions, the best one last.
        dataset: What they learnt from.
    """
    from perfcast.training import left_out

    best = registry.version(job.request.model, numbers[-1])
    if best.note.startswith(DECIDED):  # an earlier attempt got this far
        promoted, reason = best.note.startswith("promoted"), best.note
    elif job.request.promote == "never":
        promoted, reason = False, "stays a candidate: promotion was not asked for"
        registry.annotate(best, reason)
    elif registry.model(best.model).aliases.get(CHAMPION) == best.number:  # killed before the note was written
        promoted, reason = True, next(e.reason for e in registry.history(best.model) if e.after == best.number)
        registry.annotate(best, reason)
    else:
        promoted, reason = promote_if_better(registry, best, dataset, actor=f"job {job.id}")
    return Published(best.number, promoted, "; ".join([reason, *left_out(best.manifest.search)]))
