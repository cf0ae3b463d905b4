"""Moving aliases and callers between versions, inside the caller's transaction.

A split of the callers lasts while champion and challenger both are set and are different versions; whatever ends that
gives all callers back to the champion.
"""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite

import sqlalchemy as sa

from perfcast.errors import FieldError, InvalidInput, Refused
from perfcast.registry import _repository as repository
from perfcast.registry._types import CHALLENGER, CHAMPION, AliasChange, AliasEvent, Kind, ModelSummary, traffic
from perfcast.storage import now


def move_alias(
    connection: sa.Connection, model: ModelSummary, change: AliasChange, kind: Kind, reason: str, actor: str
) -> None:
    """Point an alias elsewhere, end a split that has lost its sense, remember both, and raise the revision."""
    before = model.share
    repository.point_alias(connection, change)
    shares: tuple[float | None, float | None] = (None, None)
    if before and not _can_be_split({**model.aliases, change.alias: change.after}):
        repository.set_share(connection, change.model, 0)
        shares = (before, 0.0)
    event = AliasEvent(change.model, change.alias, kind, change.before, change.after, reason, actor, now(), *shares)
    repository.add_event(connection, event)
    repository.bump(connection)


def move_traffic(connection: sa.Connection, model: ModelSummary, percent: float, reason: str, actor: str) -> None:
    """Give a percentage of the callers to the challenger; the model is locked.

    Raises:
        Refused: The challenger, or the champion beside it, isn't set, or both are one version.
    """
    if percent:
        _require_arms(model.name, model.aliases, percent)
    if percent != model.share:
        repository.set_share(connection, model.name, percent)
        number, shares = model.aliases[CHALLENGER], (model.share, percent)
        event = AliasEvent(model.name, CHALLENGER, "traffic", number, number, reason, actor, now(), *shares)
        repository.add_event(connection, event)
        repository.bump(connection)


def challengers_share(weights: Mapping[str, float]) -> float:
    """The challenger's percent, where the weights are percents that make 100 together.

    Raises:
        InvalidInput: They aren't; names every one that is wrong.
    """
    errors = [
        FieldError(alias, f"takes no callers; only {CHAMPION} and {CHALLENGER} do")
        for alias in weights
        if alias not in traffic(0)
    ]
    for alias in traffic(0):
        weight = weights.get(alias, 0.0)
        if not isfinite(weight) or not 0 <= weight <= 100:
            errors.append(FieldError(alias, "expected a percentage from 0 to 100"))
    total = sum(weights.values())
    if not errors and abs(total - 100) > 1e-9:
        errors.append(FieldError(CHAMPION, f"expected percentages that make 100 together, these make {total:g}"))
    if errors:
        raise InvalidInput(errors)
    return float(weights.get(CHALLENGER, 0.0))


def one_before(events: Sequence[AliasEvent], present: int | None, alive: Collection[int]) -> int | None:
    """Where stepping back leads: the version the alias pointed to before, or None for nowhere.

    Pointing adds to the trail and stepping back walks it, so that stepping back twice goes two versions back and
    doesn't swing between two. Versions that aren't alive are passed over. The events are the alias's, oldest first.
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


def _can_be_split(pointing: Mapping[str, int | None]) -> bool:
    champion, challenger = pointing.get(CHAMPION), pointing.get(CHALLENGER)
    return champion is not None and challenger is not None and champion != challenger


def _require_arms(model: str, pointing: Mapping[str, int], percent: float) -> None:
    for alias in (CHALLENGER, CHAMPION):
        if alias not in pointing:
            raise Refused(
                f"{model}@{alias} is not set, so callers can't be split; set it first with "
                f"`perfcast models alias {model}:VERSION {alias}`"
            )
    if not _can_be_split(pointing):
        raise Refused(
            f"{model}@{CHALLENGER} is version {pointing[CHALLENGER]}, which is the champion itself, so giving it "
            f"{percent:g} % of the callers would mean nothing; point it to another version first"
        )
