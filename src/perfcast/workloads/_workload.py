"""A workload: its declaration made ready to check rows and to turn features into model inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from perfcast.errors import FieldError, InvalidDeclaration
from perfcast.workloads._declaration import CostDeclaration, Declaration, Trend
from perfcast.workloads._expressions import (
    ArrayArithmetic,
    Comparison,
    Expression,
    Name,
    evaluate,
    names,
    parse,
    parse_comparison,
)
from perfcast.workloads._feature import LARGEST, ready
from perfcast.workloads._terms import Plan, plan

Rows: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Derived:
    """A further model input computed from features by exact arithmetic (rule R2)."""

    name: str
    expression: Expression
    trend: Trend | None


@dataclass(frozen=True)
class Rule:
    """A comparison that must hold, and what to say where it doesn't."""

    comparison: Comparison
    error: FieldError


@dataclass(frozen=True)
class Preset:
    """A row with a name, for people to begin with.

    Attributes:
        name, title, group: See `PresetDeclaration`.
        features: A value for each feature in declared order, as requests may give it; choices by what they say, and
            `timestamp` last, in place of clock features, where it is declared with one.
        stated: Those of them that the file states; the others follow by the features' defaults.
    """

    name: str
    title: str
    group: str
    features: Mapping[str, float | str]
    stated: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cost:
    """What is predicted: name, unit, bounds, whether its errors are judged relative to it, and what it is learnt of."""

    name: str
    unit: str
    minimum: float
    maximum: float
    relative: bool
    basis: str | None = None


class Workload:
    """A kind of work whose cost can be predicted.

    Made from a complete declaration (one that extends nothing); immutable. Presets are for people: two workloads that
    differ only in them are equal, and no document has them.

    Example:
        >>> from perfcast.workloads import builtin_workloads
        >>> workload = builtin_workloads()["cnn-execution-time"]
        >>> workload.cost.name
        'execution_time_ms'

    Raises:
        InvalidDeclaration: A name is used twice or unknown, or an expression can't be read.
    """

    def __init__(self, declaration: Declaration, presets: tuple[Preset, ...] = ()) -> None:
        self.declaration = declaration
        self.presets = presets
        self.name = declaration.name
        self.cost = _cost(declaration)
        self.features = tuple(
            ready(item, f"workload '{declaration.name}', feature '{item.name}'") for item in declaration.features
        )
        self.derived = tuple(Derived(item.name, parse(item.expression), item.trend) for item in declaration.derived)
        self.rules = tuple(
            Rule(parse_comparison(item.check), FieldError(item.field, item.message)) for item in declaration.rules
        )
        if not self.features:
            raise InvalidDeclaration(f"workload '{self.name}' declares no features")
        _check_names(self)

    def __repr__(self) -> str:
        return f"Workload({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Workload) and self.declaration == other.declaration

    def __hash__(self) -> int:
        return hash(self.declaration)

    def __reduce__(self) -> tuple[type["Workload"], tuple[Declaration, tuple[Preset, ...]]]:
        return Workload, (self.declaration, self.presets)

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """The features' names in declared order: the columns of every array of features."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        """The model inputs' names: features, one indicator for each value of a choice, derived quantities."""
        return (*self.feature_names, *(item.name for item in self.indicators), *(item.name for item in self.derived))

    @cached_property
    def stated(self) -> tuple[int, ...]:
        """Positions of the features that no clock decides."""
        return tuple(at for at, feature in enumerate(self.features) if not feature.declaration.clock)

    @cached_property
    def identifying(self) -> tuple[int, ...]:
        """Positions of the features that make a row another configuration: a layer on two devices is the same one."""
        return tuple(at for at, feature in enumerate(self.features) if not feature.declaration.derived_only)

    @cached_property
    def indicators(self) -> tuple[Derived, ...]:
        """For each value of each choice of three or more: 1 where the feature has it, else 0."""
        return tuple(
            Derived(f"{feature.name}_is_{code}", parse(f"max(0, 1 - abs({feature.name} - {code}))"), None)
            for feature in self.features
            if len(feature.declaration.values) > 2
            for code in range(len(feature.declaration.values))
        )

    @cached_property
    def trends(self) -> tuple[int, ...]:
        """For each model input 1 where the cost never falls with it, −1 where it never rises, else 0."""
        sign: dict[Trend | None, int] = {"increasing": 1, "decreasing": -1, None: 0}
        features = [sign[feature.declaration.trend] for feature in self.features]
        return (*features, *([0] * len(self.indicators)), *(sign[item.trend] for item in self.derived))

    def inputs(self, features: Rows) -> Rows:
        """Model inputs, float32 [rows, inputs], columns as `input_names`, from features, float32 [rows, features]."""
        columns = np.ascontiguousarray(features.T, dtype=np.float32)
        values: dict[str, Rows] = dict(zip(self.feature_names, columns, strict=True))
        for item in (*self.indicators, *self.derived):
            values[item.name] = evaluate(item.expression, values, ArrayArithmetic())
        return np.stack(np.broadcast_arrays(*values.values()), axis=1).astype(np.float32, copy=False)

    def plan(self, wanted: Sequence[Expression] | None = None) -> Plan:
        """How to compute expressions over `input_names`, by default all of these, from features in a graph."""
        known = {item.name: item.expression for item in (*self.indicators, *self.derived)}
        return plan(known, list(map(Name, self.input_names)) if wanted is None else wanted)

    def document(self) -> Mapping[str, object]:
        """The declaration as plain data, as it is written into a manifest."""
        document: Mapping[str, object] = msgspec.to_builtins(self.declaration)
        return document


def _cost(declaration: Declaration) -> Cost:
    cost: CostDeclaration | None = declaration.cost
    if cost is None:
        raise InvalidDeclaration(f"workload '{declaration.name}' declares no cost")
    minimum = -LARGEST if cost.minimum is None else cost.minimum
    maximum = LARGEST if cost.maximum is None else cost.maximum
    if cost.relative and minimum < 0:
        raise InvalidDeclaration(f"workload '{declaration.name}': a relative cost needs a minimum of 0 or more")
    if not minimum < maximum:
        raise InvalidDeclaration(f"workload '{declaration.name}': the cost's minimum must lie below its maximum")
    if cost.basis is not None:
        _check_basis(declaration, cost)
    return Cost(cost.name, cost.unit, minimum, maximum, cost.relative, cost.basis)


def _check_basis(declaration: Declaration, cost: CostDeclaration) -> None:
    if not cost.relative:
        raise InvalidDeclaration(f"workload '{declaration.name}': only a relative cost can have a basis")
    if any(one.trend for one in declaration.features) or any(one.trend for one in declaration.derived):
        raise InvalidDeclaration(f"workload '{declaration.name}': trends can't be kept beside a basis of the cost")
    if cost.basis not in {item.name for item in declaration.derived}:
        raise InvalidDeclaration(
            f"workload '{declaration.name}': the cost's basis '{cost.basis}' is none of its derived quantities"
        )


def _check_names(workload: Workload) -> None:
    known: set[str] = set()
    for feature in workload.features:
        _known(workload, f"default of '{feature.name}'", feature.default, known)
        _new(workload, feature.name, known)
    for rule in workload.rules:
        _known(workload, f"rule on '{rule.error.field}'", rule.comparison.left, known)
        _known(workload, f"rule on '{rule.error.field}'", rule.comparison.right, known)
    for item in (*workload.indicators, *workload.derived):
        _known(workload, f"'{item.name}'", item.expression, known)
        if next(names(item.expression), None) is None:
            raise InvalidDeclaration(f"workload '{workload.name}': '{item.name}' uses no feature, so it is no input")
        _new(workload, item.name, known)
    _new(workload, workload.cost.name, known)


def _known(workload: Workload, where: str, expression: Expression | None, known: set[str]) -> None:
    for name in names(expression) if expression is not None else ():
        if name not in known:
            raise InvalidDeclaration(
                f"workload '{workload.name}': {where} uses '{name}', which is not declared before it"
            )


def _new(workload: Workload, name: str, known: set[str]) -> None:
    if name in known:
        raise InvalidDeclaration(f"workload '{workload.name}': '{name}' is declared twice")
    known.add(name)
