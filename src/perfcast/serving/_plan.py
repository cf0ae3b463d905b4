"""From what the registry says to who answers, keeping what works where something new doesn't."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from perfcast.registry import CHALLENGER, CHAMPION, SHADOW, ModelSummary, Snapshot
from perfcast.serving._arms import NAMED, Arm
from perfcast.serving._cache import MOST_IMPORTANT, Slot
from perfcast.workloads import differences, same_rows

_IMPORTANCE = {CHAMPION: 3, CHALLENGER: 2, SHADOW: 1}


@dataclass
class Plan:
    """Who answers to each reference that an alias gives rise to.

    Attributes:
        snapshot: What the registry says.
        arms: Who answers, by reference.
        problems: What can't be served as the registry says, and why, by reference.
        notes: Who isn't asked although an alias points to it, and why, by reference; every caller is answered.
        pointed: The slot that answers for each model's alias.
    """

    snapshot: Snapshot
    arms: dict[str, Arm] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    pointed: dict[tuple[str, str], Slot] = field(default_factory=dict)


NO_PLAN = Plan(Snapshot(-1, (), {}, {}))
"""Before the first look at the registry."""


def make_plan(
    snapshot: Snapshot, slots: Mapping[tuple[str, int], Slot], reasons: Mapping[tuple[str, int], str], former: Plan
) -> Plan:
    """Decide who answers.

    Args:
        snapshot: What the registry says.
        slots: By model and number, the versions that aliases point to; loading them has been tried.
        reasons: Why others of them have no slot.
        former: What was served until now: who answered for an alias goes on where its new version can't be used.
    """
    plan = Plan(snapshot)
    for summary in snapshot.models:
        for alias, number in summary.aliases.items():
            key = (summary.name, number)
            slot = slots.get(key)
            reason = reasons.get(key) if slot is None else slot.reason
            _point(plan, summary.name, alias, slot, reason, former.pointed.get((summary.name, alias)))
        _add_arms(plan, summary)
    return plan


def rank(snapshot: Snapshot, slots: Mapping[tuple[str, int], Slot]) -> list[Slot]:
    """Write down how important each version is, and return them in that order, the most important first."""
    defaults = set(snapshot.defaults.values())
    for slot in slots.values():
        slot.importance = 0
    for summary in snapshot.models:
        for alias, number in summary.aliases.items():
            held = slots.get((summary.name, number))
            if held is not None:
                chief = alias == CHAMPION and summary.name in defaults
                held.importance = max(held.importance, MOST_IMPORTANT if chief else _IMPORTANCE[alias])
    return sorted(slots.values(), key=lambda slot: -slot.importance)


def exact(slot: Slot) -> Iterable[str]:
    """The references that always mean this version."""
    label = slot.version.label
    return [slot.name, *([f"{slot.model}:{label}"] if label else [])]


def _point(plan: Plan, model: str, alias: str, slot: Slot | None, reason: str | None, former: Slot | None) -> None:
    if reason is not None or slot is None:
        usable = former if former is not slot and former is not None and former.reason is None else None
        still = f"; version {usable.number} still answers" if usable is not None else ""
        references = [f"{model}@{alias}", *([model] if alias == CHAMPION else [])]
        plan.problems.update(dict.fromkeys(references, f"{reason or 'it is gone'}{still}"))
        slot = usable
    if slot is not None:
        plan.pointed[model, alias] = slot


def _add_arms(plan: Plan, summary: ModelSummary) -> None:
    model = summary.name
    pointed = {alias: plan.pointed[model, alias] for alias in summary.aliases if (model, alias) in plan.pointed}
    for alias, slot in pointed.items():
        plan.arms.update(dict.fromkeys([f"{model}@{alias}", *exact(slot)], Arm(NAMED, slot)))
    champion = pointed.get(CHAMPION)
    if champion is not None:
        beside = {alias: _beside(plan, alias, champion, pointed.get(alias)) for alias in (CHALLENGER, SHADOW)}
        plan.arms[model] = Arm(CHAMPION, champion, beside[SHADOW], beside[CHALLENGER], summary.share)


def _beside(plan: Plan, alias: str, champion: Slot, slot: Slot | None) -> Slot | None:
    """The slot, where the champion's rows of numbers mean the same to it; else it answers only where it is named."""
    theirs, ours = champion.reader.workload, slot.reader.workload if slot is not None else None
    if ours is None or same_rows(theirs, ours):
        return slot
    changed = "; ".join(differences(theirs, ours))
    plan.notes[f"{champion.model}@{alias}"] = (
        f"isn't asked beside the champion, whose declaration differs ({changed}); it answers where it is named"
    )
    return None
