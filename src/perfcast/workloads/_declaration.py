"""A workload's declaration as a version's manifest has it: plain data, nothing computed."""

from collections.abc import Collection
from typing import Annotated, Literal, TypeVar

import msgspec

Identifier = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
WorkloadName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
FeatureType = Literal["integer", "number", "flag", "choice"]
Trend = Literal["increasing", "decreasing"]
Part = TypeVar("Part", "FeatureDeclaration", "DerivedDeclaration")


class FeatureDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One stated input.

    Attributes:
        name: Lower-case identifier.
        type: `integer`, `number`, `flag` (0 or 1) or `choice` (one of `values`).
        unit: Unit of measure, for people.
        minimum, maximum: Bounds, both included.
        default: A number, or an expression of features declared earlier; without it the feature is required.
        values: The allowed values of a `choice`.
        trend: Whether the cost never falls (`increasing`) or never rises with it, all else equal; in rows in time, what
            follows it moving along (`perfcast.training`).
        clock: The value can be computed from a `timestamp` given in its place.
        derived_only: Models read it only through what is derived from it: such as a figure of a device, of which too
            few are ever seen to learn from it as it is.
        meaning: One sentence for people.
    """

    name: Identifier
    type: FeatureType = "number"
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    default: bool | float | str | None = None
    values: tuple[bool | str | int | float, ...] = ()
    trend: Trend | None = None
    clock: bool = False
    derived_only: bool = False
    meaning: str = ""


class DerivedDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A further model input: an arithmetic expression of features and earlier derived quantities (rule R2)."""

    name: Identifier
    expression: str
    trend: Trend | None = None
    meaning: str = ""


class RuleDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A comparison that every row must satisfy; `field` and `message` are what a caller is told otherwise."""

    check: str
    field: Identifier
    message: str


class CostDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is predicted. Where `relative` is true, errors are judged in percent of the cost, which must be > 0.

    `basis` names a derived quantity, above 0, as a multiple of which a relative cost is learnt: such as the least time
    by a device's roofline, so that what is learnt, how far it is used, holds for other devices too.
    """

    name: Identifier
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    relative: bool = False
    basis: Identifier | None = None
    meaning: str = ""


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A kind of work whose cost can be predicted.

    Attributes:
        name: Lower-case words joined by hyphens.
        cost: What is predicted; may be left out when `extends` names a workload.
        extends: Another workload whose features, derived quantities, rules and cost come first.
        wrapper: Name of the JSON object that may hold the features in a request, such as `cnn_config`.
        series: Whether rows are observations of one thing over time: such rows are split by time where they have one.
        repeats: What rows of one configuration without a time are: each a `measurement`, or entries of a `lookup`
            table, where the same configuration with the same cost is one entry.
    """

    name: WorkloadName
    cost: CostDeclaration | None = None
    title: str = ""
    description: str = ""
    extends: WorkloadName | None = None
    wrapper: Identifier | None = None
    series: bool = True
    repeats: Literal["measurement", "lookup"] = "measurement"
    features: tuple[FeatureDeclaration, ...] = ()
    derived: tuple[DerivedDeclaration, ...] = ()
    rules: tuple[RuleDeclaration, ...] = ()


def leave_out(declaration: Declaration, features: Collection[str]) -> Declaration:
    """The declaration without some features, and so without derived quantities and basis, which may be of them."""
    kept = tuple(feature for feature in declaration.features if feature.name not in features)
    cost = declaration.cost and msgspec.structs.replace(declaration.cost, basis=None)
    return msgspec.structs.replace(declaration, features=kept, derived=(), cost=cost)


def extend(base: Declaration, extension: Declaration) -> Declaration:
    """The base with the extension's parts added; a part of the same name replaces the base's, in its place."""
    return Declaration(
        name=extension.name,
        cost=extension.cost or base.cost,
        title=extension.title or base.title,
        description=extension.description or base.description,
        wrapper=extension.wrapper or base.wrapper,
        series=extension.series and base.series,
        repeats="lookup" if "lookup" in (extension.repeats, base.repeats) else "measurement",
        features=_merge(base.features, extension.features),
        derived=_merge(base.derived, extension.derived),
        rules=base.rules + extension.rules,
    )


def _merge(base: tuple[Part, ...], added: tuple[Part, ...]) -> tuple[Part, ...]:
    parts = {part.name: part for part in base} | {part.name: part for part in added}
    return tuple(parts.values())
