"""Reading an alias's history backwards."""

from collections.abc import Collection, Sequence

from perfcast.registry._types import AliasEvent


def one_before(events: Sequence[AliasEvent], present: int | None, alive: Collection[int]) -> int | None:
    """Where stepping back leads: the version the alias pointed to before, or None for nowhere.

    Pointing adds to the trail and stepping back walks it, so that stepping back twice goes two versions back and
    doesn't swing between two. Deleted versions are passed over.

    Args:
        events: All of the alias's, oldest first.
        present: Where it points now.
        alive: Numbers of the versions that exist.
    """
    for number in reversed(_trail(events)[:-1]):
        if number is None:
            return None
        if number != present and number in alive:
            return number
    return None


def _trail(events: Sequence[AliasEvent]) -> list[int | None]:
    trail: list[int | None] = []
    for event in events:
        if event.kind == "point":
            trail.append(event.after)
            continue
        trail.pop()
        while trail and trail[-1] != event.after:
            trail.pop()
    return trail
