"""Making inputs ready for a network: logarithms, robust scaling, and a soft limit for what is far outside."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.training.families._smooth_inputs import Doubles, distinct
from perfcast.workloads import Rows

LIMIT = 6.0
"""Deviations that no input passes, however large it is."""
NORMAL = 2.56
"""Standard deviations between the first and the last tenth of a normal distribution."""
SPARSE = 0.25
"""Share of the standard deviation that a deviation has at least: most values may be the same."""


@dataclass(frozen=True)
class SoftInputs:
    """Which inputs a network reads and how each is scaled; float64 [kept] unless said otherwise.

    A value x becomes tanh((log(max(x, floor)) - center) ÷ scale), where `scale` is `LIMIT` deviations; without the
    logarithm behind the first ones, which are logged.

    Attributes:
        columns: int64 [kept], positions among the model inputs.
        floor: float64 [logged]: keeps the logarithm's argument above 0.
        center, scale: The median, and how far from it the limit is.
    """

    columns: npt.NDArray[np.int64]
    floor: Doubles
    center: Doubles
    scale: Doubles

    def __call__(self, inputs: Rows) -> Rows:
        """Scale float32 [rows, inputs] to float32 [rows, kept], from -1 to 1."""
        value: Rows = np.take(inputs, self.columns, axis=1)
        logged = value[:, : len(self.floor)]
        np.log(np.maximum(logged, self.floor.astype(np.float32)), out=logged)
        np.multiply(value, self._factor, out=value)
        np.subtract(value, self._shift, out=value)
        return np.asarray(np.tanh(value, out=value))

    def node(self, inputs: spox.Var) -> spox.Var:
        """The same in a graph."""
        logged, plain = np.split(self.columns, [len(self.floor)])
        read = [_taken(inputs, plain)] if len(plain) or not len(logged) else []
        if len(logged):
            floor = op.constant(value=self.floor.astype(np.float32))
            read = [op.log(op.max([_taken(inputs, logged), floor])), *read]
        value = op.concat(read, axis=1) if len(read) > 1 else read[0]
        scaled = op.mul(value, op.constant(value=self._factor))
        return op.tanh(op.sub(scaled, op.constant(value=self._shift)))

    @property
    def _factor(self) -> Rows:
        return (1 / self.scale).astype(np.float32)

    @property
    def _shift(self) -> Rows:
        return (self.center / self.scale).astype(np.float32)


def _taken(inputs: spox.Var, columns: npt.NDArray[np.int64]) -> spox.Var:
    return op.gather(inputs, op.constant(value=columns), axis=1)


def soft_inputs(inputs: Rows) -> SoftInputs:
    """Learn the scaling.

    Inputs that are always above 0 are logged. Constant ones and those that carry the same values as an earlier one, but
    for a factor and a shift, are left out.

    Args:
        inputs: float32 [rows, inputs] of the training rows.
    """
    raw = inputs.astype(np.float64)
    least = raw.min(axis=0)
    value = np.where(least > 0, np.log(np.where(least > 0, raw, 1.0)), raw)
    columns = distinct(value)
    columns = np.concatenate([columns[least[columns] > 0], columns[least[columns] <= 0]])
    value, least = value[:, columns], least[columns]
    low, center, high = np.quantile(value, [0.1, 0.5, 0.9], axis=0)
    deviation = np.maximum((high - low) / NORMAL, SPARSE * value.std(axis=0))
    return SoftInputs(columns, least[least > 0] / 2, center, LIMIT * deviation)
