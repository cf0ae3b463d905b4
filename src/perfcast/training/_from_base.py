"""Starting from an older version: each family tries it with and without, and keeps what is better."""

from collections.abc import Mapping
from dataclasses import replace

from perfcast.export import Target
from perfcast.training._base import Base
from perfcast.training._draft import Trained
from perfcast.training._ensemble import FittedEnsemble
from perfcast.training.families import ON_BASE, Family, Fitted, FittedOnBase, OnBase
from perfcast.training.search import Start


def start_from(base: Base, target: Target, families: Mapping[str, Family]) -> dict[str, Family]:
    """The families, each of which can start from the base; where the cost has a basis, each does."""
    keeps, always = bool(base.manifest.keeps_trends), base.has_basis
    return {name: OnBase(family, target, keeps, always) for name, family in families.items()}


def both_ways(families: Mapping[str, Family]) -> list[Start]:
    """What to try first: all from the base, then all without; each is completed by its family's start."""
    return [(name, {ON_BASE: on_base}) for on_base in (True, False) for name in families]


def without_needless_base(model: Trained) -> Trained:
    """The model as it is or, where no part of it starts from its base, free of it, with a note."""
    base = model.path.base
    if base is None or any(part.beneath for part in _parts(model.fitted)):
        return model
    return replace(
        model,
        path=replace(model.path, base=None),
        fitted=_free(model.fitted),
        first=None if model.first is None else _free(model.first),
        notes=(*model.notes, f"it doesn't start from {base.reference}, by which it didn't gain"),
    )


def _parts(fitted: Fitted) -> list[FittedOnBase]:
    members = fitted.members if isinstance(fitted, FittedEnsemble) else (fitted,)
    return [member for member in members if isinstance(member, FittedOnBase)]


def _free(fitted: Fitted) -> Fitted:
    if isinstance(fitted, FittedEnsemble):
        return replace(fitted, members=tuple(map(_free, fitted.members)))
    return fitted.model if isinstance(fitted, FittedOnBase) else fitted
