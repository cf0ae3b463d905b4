"""Straight on where training rows end: trees answer the same for every load above those they have seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.training.families._family import Fitted, Lesson, Settings
from perfcast.workloads import Rows

USUAL = 0.98
"""Share of the training rows in which an input isn't above its limit."""
_ROUNDS, _LEAST_ERROR = 15, 0.02
_Doubles: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Continuation:
    """What is added above the limits of the inputs with which the target rises; nothing where there are none.

    A model learns from rows whose inputs are cut off at the limits what the lines leave over, so that in the range of
    the training rows nothing is lost, and the sum is continuous. Slopes are 0 or more: a kept trend stays kept.

    Attributes:
        limits: float32 [inputs], the largest number for inputs without a line.
        slopes: float32 [inputs], of the target in an input above its limit.
    """

    limits: Rows
    slopes: Rows

    def lines(self, inputs: Rows) -> Rows:
        """What is added, float32 [rows]."""
        return np.asarray(np.maximum(inputs - self.limits, np.float32(0)) @ self.slopes, dtype=np.float32)

    def cut(self, inputs: Rows) -> Rows:
        """The inputs that the model is asked with, float32 [rows, inputs]."""
        return np.minimum(inputs, self.limits)

    def lesson(self, lesson: Lesson) -> Lesson:
        """What the model learns."""
        if not self.slopes.any():
            return lesson
        held = lesson.validation and self._left(*lesson.validation)
        inputs, target = self._left(lesson.inputs, lesson.target)
        return replace(lesson, inputs=inputs, target=target, validation=held)

    def of(self, model: Fitted) -> Fitted:
        """The model that learnt it, continued."""
        return FittedContinued(model, self) if self.slopes.any() else model

    def _left(self, inputs: Rows, target: Rows) -> tuple[Rows, Rows]:
        return self.cut(inputs), target - self.lines(inputs)


@dataclass(frozen=True)
class FittedContinued:
    """A model and the lines that are added to it."""

    model: Fitted
    continuation: Continuation

    def predict(self, inputs: Rows) -> Rows:
        """Their sum, float32 [rows]."""
        return self.model.predict(self.continuation.cut(inputs)) + self.continuation.lines(inputs)

    def graph(self) -> onnx.ModelProto:
        """The model's graph with some nodes before and after it."""
        inputs = spox.argument(spox.Tensor(np.float32, ("rows", "inputs")))
        limits = op.constant(value=self.continuation.limits)
        (answer,) = spox.inline(self.model.graph())(op.min([inputs, limits])).values()
        above = op.max([op.sub(inputs, limits), op.const(0.0, np.float32)])
        lines = op.matmul(above, op.constant(value=self.continuation.slopes[:, None]))
        column = op.reshape(answer, op.constant(value=np.array([-1, 1], dtype=np.int64)))
        return spox.build({"inputs": inputs}, {"target": op.add(column, lines)})

    @property
    def settings(self) -> Settings:
        """The model's."""
        return self.model.settings

    def details(self) -> dict[str, Any]:
        """The model's."""
        return self.model.details()

    def thresholds(self) -> Mapping[int, Rows]:
        """The model's."""
        return self.model.thresholds()


def continuation(lesson: Lesson) -> Continuation:
    """Learn lines from the inputs that are to rise: least absolute errors, no slope below 0.

    Not where the target is a logarithm, in which a line is an exponential.
    """
    rising = np.flatnonzero(np.array(lesson.trends) > 0)
    width = lesson.inputs.shape[1]
    limits, slopes = np.full(width, np.finfo(np.float32).max, dtype=np.float32), np.zeros(width, dtype=np.float32)
    if len(rising) and not lesson.relative:
        slopes[rising] = _rising_lines(lesson.inputs[:, rising].astype(np.float64), lesson.target.astype(np.float64))
        lines = slopes > 0
        limits[lines] = np.quantile(lesson.inputs[:, lines], USUAL, axis=0)
    return Continuation(limits, slopes)


def _rising_lines(inputs: _Doubles, target: _Doubles) -> _Doubles:
    """Slopes of the plane with the least absolute errors of those with no slope below 0, float64 [inputs].

    By squares weighted anew with 1 ÷ the error (Schlossmacher 1973, "An iterative technique for absolute deviations
    curve fitting").
    """
    from sklearn.linear_model import LinearRegression

    spread = inputs.std(axis=0)
    scaled = (inputs - inputs.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    plane, weights = LinearRegression(positive=True), np.ones(len(target))
    for _ in range(_ROUNDS):
        plane.fit(scaled, target, weights)
        weights = 1 / np.maximum(np.abs(plane.predict(scaled) - target), _LEAST_ERROR * (target.std() or 1.0))
    return np.asarray(np.where(spread > 0, plane.coef_, 0.0) / np.where(spread > 0, spread, 1.0))
