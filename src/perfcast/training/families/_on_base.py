"""Families that start from what an older version predicts, so that few rows suffice for what it leaves over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.export import Target
from perfcast.training.families._family import Family, Fitted, Lesson, Report, Settings, Stop, Trial, never
from perfcast.workloads import LARGEST, Rows

ON_BASE = "on_base"
"""The setting that says whether a fit starts from the base: one that behaves otherwise does harm."""
LEAST = 1e-9
"""Share of the middle cost, as which a base's lesser costs count where targets are logarithms."""


@dataclass(frozen=True)
class Beneath:
    """What of the base's cost lies beneath a model: slope · its target.

    Attributes:
        target: What targets are of costs.
        slope: With which the measured targets rise with the base's: 1 where they are logarithms, in which a quicker
            device is only so much lower; never below 0, so that trends are kept.
    """

    target: Target
    slope: float

    @staticmethod
    def of(target: Target, lesson: Lesson) -> "Beneath":
        """By least squares for costs themselves, of inputs whose last is the base's."""
        whole = Beneath(target, 1.0)
        if target.log:
            return whole
        known = whole(lesson.inputs).astype(np.float64)
        apart = known - known.mean()
        squares = float(apart @ apart)
        return Beneath(target, max(0.0, float(apart @ lesson.target) / squares) if squares else 0.0)

    def __call__(self, inputs: Rows) -> Rows:
        """What is added, float32 [rows]."""
        return np.float32(self.slope) * self.target.from_cost(np.maximum(inputs[:, -1], np.float32(self._least)))

    def node(self, cost: spox.Var) -> spox.Var:
        """The same in a graph, of float32 [rows, 1]."""
        known = self.target.node_of_cost(op.max([cost, op.const(self._least, np.float32)]))
        return op.mul(known, op.const(self.slope, np.float32))

    @property
    def _least(self) -> float:
        return LEAST * self.target.scale if self.target.log else -LARGEST


@dataclass(frozen=True)
class OnBase(Family):
    """A family for lessons whose last input is the base's cost.

    A fit on the base learns what is left of the target beyond the base's; one that isn't learns all of it. Neither
    reads the cost as an input: that gained next to nothing, and beside a tree's threshold its last bit would count.

    Attributes:
        family: Which learns.
        target: What targets are of costs.
        base_keeps_trends: Whether the base promises the workload's trends.
        always: Whether every fit is on it, as on a basis; else the search finds out what gains by it.
    """

    family: Family
    target: Target
    base_keeps_trends: bool
    always: bool = False

    @property
    def name(self) -> str:
        """The family's."""
        return self.family.name

    @property
    def members(self) -> int:
        """The family's."""
        return self.family.members

    def keeps_trends(self, settings: Settings) -> bool:
        """A sum keeps them where both parts do."""
        return self.family.keeps_trends(settings) and (self.base_keeps_trends or not settings[ON_BASE])

    def join(self, members: Sequence[Fitted]) -> "FittedOnBase":
        """The family's mean, above the same base."""
        fitted = cast("Sequence[FittedOnBase]", members)
        return replace(fitted[0], model=self.family.join([member.model for member in fitted]))

    def start(self, lesson: Lesson) -> Settings:
        """The family's, on the base."""
        return {**self.family.start(_without(lesson)), ON_BASE: True}

    def plain(self, lesson: Lesson) -> Sequence[Settings]:
        """The family's, on the base and not: a constant on it is the base's cost times a factor."""
        ways = (True,) if self.always else (True, False)
        return [{**settings, ON_BASE: on} for settings in self.family.plain(_without(lesson)) for on in ways]

    def space(self, trial: Trial, lesson: Lesson) -> Settings:
        """The family's, on the base or not."""
        chosen = self.always or trial.suggest_categorical(f"{self.name}.{ON_BASE}", [True, False])
        return {**self.family.space(trial, _without(lesson)), ON_BASE: chosen}

    def fit(
        self, lesson: Lesson, settings: Settings, *, stop: Stop = never, report: Report | None = None
    ) -> "FittedOnBase":
        """Fit what there is to learn."""
        beneath = Beneath.of(self.target, lesson) if settings[ON_BASE] else None
        learnt = _above(beneath, lesson) if beneath else lesson
        plain = {name: value for name, value in settings.items() if name != ON_BASE}
        return FittedOnBase(self.family.fit(_without(learnt), plain, stop=stop, report=report), beneath)


@dataclass(frozen=True)
class FittedOnBase:
    """A model and, where it starts from the base, what of that lies beneath it."""

    model: Fitted
    beneath: Beneath | None

    def predict(self, inputs: Rows) -> Rows:
        """The model's answer, and the base's beneath it, float32 [rows]."""
        answer = self.model.predict(np.ascontiguousarray(inputs[:, :-1]))
        return answer + self.beneath(inputs) if self.beneath else answer

    def graph(self) -> onnx.ModelProto:
        """The model's graph, with the base's target added; how far members disagree stays as it is."""
        inputs = spox.argument(spox.Tensor(np.float32, ("rows", "inputs")))
        first, last, axis = (op.constant(value=np.array([at], dtype=np.int64)) for at in (0, -1, 1))
        answer, *spread = spox.inline(self.model.graph())(op.slice(inputs, first, last, axis)).values()
        answer = op.reshape(answer, op.constant(value=np.array([-1, 1], dtype=np.int64)))
        if self.beneath:
            answer = op.add(answer, self.beneath.node(op.gather(inputs, last, axis=1)))
        return spox.build({"inputs": inputs}, dict(zip(("target", "spread"), (answer, *spread), strict=False)))

    @property
    def settings(self) -> Settings:
        """The model's, on the base or not."""
        return {**self.model.settings, ON_BASE: self.beneath is not None}

    def details(self) -> dict[str, Any]:
        """The model's."""
        return self.model.details()

    def thresholds(self) -> Mapping[int, Rows]:
        """The model's."""
        return self.model.thresholds()


def _without(lesson: Lesson) -> Lesson:
    """The lesson without the base's cost."""
    held = lesson.validation
    return replace(
        lesson,
        inputs=np.ascontiguousarray(lesson.inputs[:, :-1]),
        input_names=lesson.input_names[:-1],
        trends=lesson.trends[:-1],
        straight=lesson.straight[:-1],
        validation=None if held is None else (np.ascontiguousarray(held[0][:, :-1]), held[1]),
    )


def _above(beneath: Beneath, lesson: Lesson) -> Lesson:
    """The lesson of what the base leaves over."""
    held = lesson.validation
    return replace(
        lesson,
        target=lesson.target - beneath(lesson.inputs),
        validation=None if held is None else (held[0], held[1] - beneath(held[0])),
    )
