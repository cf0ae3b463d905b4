"""What else moves when a load does, and what models read so that a trend holds along that way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from perfcast.datasets import Split
from perfcast.training._base import Base
from perfcast.workloads import ArrayArithmetic, Expression, Feature, Name, Rows, Workload, evaluate, names, parse

BLOCK = 30
"""Rows whose mean is taken before slopes are learnt, so that the noise of single rows doesn't flatten them."""
FEWEST_BLOCKS = 30
LEAST_CORRELATION = 0.5
"""Between a feature and the loads, below which it doesn't count as moving with them."""
Slopes: TypeAlias = Mapping[str, Mapping[str, float]]
_Doubles: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Input:
    """One that models read: an expression of the workload's inputs, and its trend along the path."""

    name: str
    expression: Expression
    trend: int


@dataclass(frozen=True)
class Path:
    """How the features move together, and the inputs that models learn from because of it.

    A trend is declared of a load, such as the request rate, but users and connections rise with it: with those held
    fixed, more requests mean lighter ones, and may well cost less. So the trend is promised along the path: while the
    load rises by 1, each follower f rises by its slope b_f. Models read the load and the followers, held to the trend
    because all of them rise along the path, and without trend what a follower has beyond the path, f − b_f · load,
    which stays as it is. What is derived from any of them may fall along the path, and isn't read.

    Without slopes models read the workload's inputs, but for features that are `derived_only`, and trends hold with all
    else equal.

    Attributes:
        workload: Whose features they are.
        slopes: For each load and each feature that follows it, by how much this rises while the load rises by 1.
        base: An older version, whose cost is the last input.
        heeded: Whether models are held to the trends.
    """

    workload: Workload
    slopes: Slopes = field(default_factory=dict)
    base: Base | None = None
    heeded: bool = True

    @property
    def input_names(self) -> tuple[str, ...]:
        """What models read; the features come first, in declared order."""
        return (*(item.name for item in self._read), *([f"cost of {self.base.reference}"] if self.base else []))

    @property
    def trends(self) -> tuple[int, ...]:
        """For each input 1 where the cost never falls with it along the path, −1 where it never rises, else 0."""
        return (*(item.trend * self.heeded for item in self._read), *([0] if self.base else []))

    @property
    def straight(self) -> tuple[bool, ...]:
        """Whether each input is a feature or a sum of features, along which a line means something."""
        return tuple(name not in self._made_of for name in self.input_names)

    @property
    def stated(self) -> tuple[int, ...]:
        """The positions of the features that no clock decides, among those that are read."""
        told = {self.workload.feature_names[at] for at in self.workload.stated}
        return tuple(at for at, name in enumerate(self.input_names) if name in told)

    @property
    def features(self) -> Mapping[int, int]:
        """Of each feature that is read, its position among the inputs and that among the features."""
        known = self.workload.feature_names
        return {at: known.index(name) for at, name in enumerate(self.input_names) if name in known}

    @property
    def expressions(self) -> tuple[Expression, ...] | None:
        """The inputs but for the base's cost, of those of the workload; None where they are just those."""
        return tuple(item.expression for item in self._read) if self._chosen else None

    @property
    def beyond(self) -> tuple[int, ...]:
        """The positions of what stays as it is along the path."""
        return tuple(range(len(self._read) - len(self._followers), len(self._read)))

    def inputs(self, features: Rows) -> Rows:
        """What models read, float32 [rows, inputs], from features, float32 [rows, features]."""
        inputs = self.workload.inputs(features)
        if self._chosen:
            columns = dict(zip(self.workload.input_names, inputs.T, strict=True))
            inputs = np.stack([evaluate(item.expression, columns, ArrayArithmetic()) for item in self._read], axis=1)
        return np.column_stack([inputs, self.base.cost(features)]) if self.base else inputs

    def follow(self, features: Rows, before: Rows) -> Rows:
        """Features whose loads were moved, with their followers moved along; both float32 [rows, features]."""
        moved, position = features.copy(), self.workload.feature_names.index
        for load, followers in self.slopes.items():
            change = features[:, position(load)].astype(np.float64) - before[:, position(load)]
            for follower, slope in followers.items():
                feature = self.workload.features[position(follower)]
                values = moved[:, position(follower)] + slope * change
                whole = np.rint(values) if feature.whole else values
                moved[:, position(follower)] = np.clip(whole, feature.minimum, feature.maximum)
        return moved

    @property
    def _chosen(self) -> bool:
        """Whether models read other inputs than the workload's."""
        return bool(self.slopes or self._unread)

    @property
    def _unread(self) -> set[str]:
        return {feature.name for feature in self.workload.features if feature.declaration.derived_only}

    @cached_property
    def _followers(self) -> dict[str, dict[str, float]]:
        """For each follower its slope on each load."""
        found: dict[str, dict[str, float]] = {}
        for load, followers in self.slopes.items():
            for follower, slope in followers.items():
                found.setdefault(follower, {})[load] = slope
        return found

    @cached_property
    def _read(self) -> tuple[_Input, ...]:
        declared = zip(self.workload.input_names, self.workload.trends, strict=True)
        moving = {*self.slopes, *self._followers}
        unread = self._unread
        kept = [
            _Input(name, Name(name), trend)
            for name, trend in declared
            if not self._made_of.get(name, set()) & moving and name not in unread
        ]
        risen = [_Input(item.name, item.expression, 1) if item.name in self._followers else item for item in kept]
        return (*risen, *map(self._beyond_path, self._followers))

    @cached_property
    def _made_of(self) -> dict[str, set[str]]:
        """For each derived quantity the features in it."""
        found: dict[str, set[str]] = {}
        for item in (*self.workload.indicators, *self.workload.derived):
            found[item.name] = set().union(*(found.get(name, {name}) for name in names(item.expression)))
        return found

    def _beyond_path(self, follower: str) -> _Input:
        slopes = self._followers[follower].items()
        along = " - ".join(f"{slope!r} * {load}" for load, slope in slopes)
        return _Input(f"{follower}_beyond_path", parse(f"{follower} - {along}"), 0)


def learn_path(workload: Workload, split: Split) -> Path:
    """Learn from the training rows what moves with the features that have an increasing trend.

    Only rows in time show it: in others, such as of planned tests, what varied together was decided by somebody.
    """
    rows, loads = split.train, [item for item in workload.features if item.declaration.trend == "increasing"]
    if split.kind != "time" or rows.measured_at is None or not loads or len(rows) < BLOCK * FEWEST_BLOCKS:
        return Path(workload)
    ordered = rows.features[np.argsort(rows.measured_at, kind="stable")]
    whole = len(ordered) // BLOCK * BLOCK
    means = ordered[:whole].reshape(-1, BLOCK, ordered.shape[1]).mean(axis=1, dtype=np.float64)
    columns = dict(zip(workload.feature_names, (means - means.mean(axis=0)).T, strict=True))
    slopes: dict[str, dict[str, float]] = {}
    for feature in filter(_may_follow, workload.features):
        for load, slope in _slopes(columns, [item.name for item in loads], feature.name):
            slopes.setdefault(load, {})[feature.name] = slope
    return Path(workload, slopes)


def _may_follow(feature: Feature) -> bool:
    declared = feature.declaration
    return declared.type in ("number", "integer") and declared.trend is None and not declared.clock


def _slopes(columns: Mapping[str, _Doubles], loads: list[str], follower: str) -> Iterator[tuple[str, float]]:
    """Least squares with no slope below 0, of means around 0; none where they explain little."""
    from sklearn.linear_model import LinearRegression

    spread = np.array([columns[load].std() or 1.0 for load in loads])
    given = np.stack([columns[load] for load in loads], axis=1) / spread
    found = LinearRegression(positive=True, fit_intercept=False).fit(given, columns[follower]).coef_
    along = given @ found
    sizes = float(np.linalg.norm(along) * np.linalg.norm(columns[follower]))
    if sizes > 0 and float(along @ columns[follower]) / sizes >= LEAST_CORRELATION:
        for load, slope in zip(loads, found / spread, strict=True):
            if slope > 0:
                yield load, float(f"{slope:.3g}")
