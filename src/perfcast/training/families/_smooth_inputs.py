"""Making inputs ready for smooth models: logarithms, scaling, and limits beyond which nothing is extrapolated."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.workloads import Rows

Array: TypeAlias = npt.NDArray[np.floating]
Doubles: TypeAlias = npt.NDArray[np.float64]
WIDE = 8.0
"""An input whose positive values span more than this factor, outliers aside, is taken on a logarithmic scale."""


@dataclass(frozen=True)
class SmoothInputs:
    """Which inputs a smooth model reads and how each is scaled; float64 [kept] unless said otherwise.

    A value x becomes (log(max(x, floor) + offset) - center) ÷ scale, limited to low … high; without the logarithm
    where `logged` is false.

    Attributes:
        columns: int64 [kept], positions among the model inputs.
        logged: bool [kept].
        floor, offset: Keep the logarithm's argument above 0.
        center, scale: Mean and standard deviation.
        low, high: The training range with a margin.
    """

    columns: npt.NDArray[np.int64]
    logged: npt.NDArray[np.bool_]
    floor: Doubles
    offset: Doubles
    center: Doubles
    scale: Doubles
    low: Doubles
    high: Doubles

    def __call__(self, inputs: Rows, dtype: type[np.float32] | type[np.float64]) -> Array:
        """Scale.

        Args:
            inputs: float32 [rows, inputs].
            dtype: In which to compute.

        Returns:
            [rows, kept], of that type.
        """
        raw: Array = inputs[:, self.columns].astype(dtype)
        shifted = np.maximum(raw, self.floor.astype(dtype)) + self.offset.astype(dtype)
        value = np.where(self.logged, np.log(np.where(self.logged, shifted, dtype(1))), raw)
        scaled = (value - self.center.astype(dtype)) * (1 / self.scale).astype(dtype)
        return np.asarray(np.clip(scaled, self.low.astype(dtype), self.high.astype(dtype)), dtype=dtype)

    def node(self, inputs: spox.Var, dtype: type[np.float32] | type[np.float64]) -> spox.Var:
        """The same in a graph: float32 [rows, inputs] to [rows, kept] of that type."""

        def constant(values: Array) -> spox.Var:
            return op.constant(value=values.astype(dtype))

        raw = op.cast(op.gather(inputs, op.constant(value=self.columns), axis=1), to=dtype)
        shifted = op.add(op.max([raw, constant(self.floor)]), constant(self.offset))
        logged = op.constant(value=self.logged)
        value = op.where(logged, op.log(op.where(logged, shifted, constant(np.ones(1)))), raw)
        scaled = op.mul(op.sub(value, constant(self.center)), constant(1 / self.scale))
        return op.max([op.min([scaled, constant(self.high)]), constant(self.low)])


def smooth_inputs(inputs: Rows, *, margin: float, wide: float = WIDE) -> SmoothInputs:
    """Learn the scaling.

    Constant inputs and those that carry the same values as an earlier one, but for a factor and a shift, are left out.

    Args:
        inputs: float32 [rows, inputs] of the training rows.
        margin: How far beyond the training range values are still told apart, in standard deviations.
        wide: The factor beyond which an input without values below 0 is taken on a logarithmic scale.
    """
    raw = inputs.astype(np.float64)
    logged = np.array([_is_wide(column, wide) for column in raw.T], dtype=bool)
    floor, offset = _log_range(raw)
    value = np.where(logged, np.log(np.where(logged, np.maximum(raw, floor) + offset, 1.0)), raw)
    columns = distinct(value)
    center, scale = value.mean(axis=0)[columns], value.std(axis=0)[columns]
    scaled = (value[:, columns] - center) / scale
    return SmoothInputs(
        columns,
        logged[columns],
        floor[columns],
        offset[columns],
        center,
        scale,
        scaled.min(axis=0) - margin,
        scaled.max(axis=0) + margin,
    )


def _is_wide(column: Doubles, wide: float) -> bool:
    positive = column[column > 0]
    if column.min() < 0 or not len(positive):
        return False
    return bool(positive.max() > wide * np.quantile(positive, 0.05))


def _log_range(raw: Doubles) -> tuple[Doubles, Doubles]:
    """Least value told apart, and the addend: none where all values are above 0, else the least positive one."""
    least = np.where(raw > 0, raw, np.inf).min(axis=0)
    least = np.where(np.isfinite(least), least, 1.0)
    zero = raw.min(axis=0) <= 0
    return np.where(zero, 0.0, least / 4), np.where(zero, least, 0.0)


def distinct(value: Doubles) -> npt.NDArray[np.int64]:
    """The columns of [rows, columns] that vary and are no earlier one with a factor and a shift: int64 [kept]."""
    deviation = value - value.mean(axis=0)
    spread = np.sqrt((deviation**2).mean(axis=0))
    varied = np.flatnonzero(spread > 1e-6 * (np.abs(value).max(axis=0) + 1e-12))
    unit = deviation[:, varied] / spread[varied]
    same = np.abs(unit.T @ unit) / len(value) > 1 - 1e-7
    first = [position for position in range(len(varied)) if not same[position, :position].any()]
    return varied[first].astype(np.int64)
