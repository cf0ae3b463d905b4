"""From what the registry says to who answers, keeping what works where something new doesn't."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from perfcast.registry import CHALLENGER, CHAMPION, SHADOW, Snapshot
from perfcast.serving._arms import NAMED, Arm
from perfcast.serving._cache import MOST_IMPORTANT, Slot
from perfcast.serving._routes import Routes
from perfcast.workloads import differences, same_rows

_IMPORTANCE = {CHAMPION: 3, CHALLENGER: 2, SHADOW: 1}


def plan(
    snapshot: Snapshot, slots: Mapping[tuple[str, int], Slot], reasons: Mapping[tuple[str, int], str], former: Routes
) -> Routes:
    """Decide who answers to each reference that an alias gives rise to.

    Args:
        snapshot: What the registry says.
        slots: By model and number, the versions that aliases point to; loading them has been tried.
        reasons: Why others of them have no slot.
        former: What was planned before: who answered for an alias goes on where its new version can't be used.
    """
    arms: dict[str, Arm] = {}
    problems: dict[str, str] = {}
    notes: dict[str, str] = {}
    pointed: dict[tuple[str, str], Slot] = {}
    for summary in snapshot.models:
        model, held = summary.name, dict[str, Slot]()
        for alias, number in summary.aliases.items():
            slot, reason = slots.get((model, number)), reasons.get((model, number))
            if slot is None or slot.reason is not None:
                usable = _usable(former.pointed.get((model, alias)), slot)
                problems |= _problems(model, alias, slot.reason if slot is not None else reason, usable)
                slot = usable
            if slot is not None:
                held[alias] = pointed[model, alias] = slot
                arms |= dict.fromkeys([f"{model}@{alias}", *exact(slot)], Arm(NAMED, slot))
        if CHAMPION in held:
            beside = {alias: _beside(notes, alias, held[CHAMPION], held.get(alias)) for alias in (CHALLENGER, SHADOW)}
            arms[model] = Arm(CHAMPION, held[CHAMPION], beside[SHADOW], beside[CHALLENGER], summary.share)
    return replace(
        former,
        revision=snapshot.revision,
        arms=arms,
        defaults=snapshot.defaults,
        problems=problems,
        notes=notes,
        pointed=pointed,
    )


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


def _usable(former: Slot | None, broken: Slot | None) -> Slot | None:
    return former if former is not None and former is not broken and former.reason is None else None


def _problems(model: str, alias: str, reason: str | None, usable: Slot | None) -> Mapping[str, str]:
    still = f"; version {usable.number} still answers" if usable is not None else ""
    references = [f"{model}@{alias}", *([model] if alias == CHAMPION else [])]
    return dict.fromkeys(references, f"{reason or 'it is gone'}{still}")


def _beside(notes: dict[str, str], alias: str, champion: Slot, slot: Slot | None) -> Slot | None:
    """The slot, where the champion's rows of numbers mean the same to it; else it answers only where it is named."""
    theirs, ours = champion.reader.workload, slot.reader.workload if slot is not None else None
    if ours is None or same_rows(theirs, ours):
        return slot
    changed = "; ".join(differences(theirs, ours))
    notes[f"{champion.model}@{alias}"] = (
        f"isn't asked beside the champion, whose declaration differs ({changed}); it answers where it is named"
    )
    return None
