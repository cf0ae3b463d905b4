"""What a fitted body answers: the cost, or its logarithm, brought near 0 so that float32 is fine at every magnitude."""

from dataclasses import dataclass

import numpy as np
import spox
import spox.opset.ai.onnx.v21 as op

from perfcast.workloads import LARGEST, Rows, Workload


@dataclass(frozen=True)
class Target:
    """cost = scale · t + center, or scale · exp(t) + center where `log`, clipped to the cost's bounds.

    Natively and in the graph it is computed in float32, in this order. Without arguments the target is the cost.
    """

    log: bool = False
    center: float = 0.0
    scale: float = 1.0

    @staticmethod
    def of(workload: Workload, cost: Rows) -> "Target":
        """The target for such costs.

        Where errors are relative, the logarithm, so that an error of 10 % weighs the same at every cost, with the
        median at 0; else the cost in standard deviations from its median.

        Args:
            workload: Whose cost it is.
            cost: float32 [rows], in the cost's unit; above 0 where errors are relative.
        """
        exact = cost.astype(np.float64)
        middle = float(np.float32(np.median(exact)))
        if workload.cost.relative:
            return Target(log=True, scale=middle)
        return Target(center=middle, scale=float(np.float32(exact.std())) or abs(middle) or 1.0)

    def from_cost(self, cost: Rows) -> Rows:
        """Cost to target, both float32 [rows]."""
        value = (cost.astype(np.float64) - self.center) / self.scale
        return (np.log(value) if self.log else value).astype(np.float32)

    def node_of_cost(self, cost: spox.Var) -> spox.Var:
        """The same in a graph, but for what float32 rounds away."""
        value = op.div(op.sub(cost, op.const(self.center, np.float32)), op.const(self.scale, np.float32))
        return op.log(value) if self.log else value

    def to_cost(self, workload: Workload, target: Rows) -> Rows:
        """Target to cost, both float32 [rows]."""
        with np.errstate(over="ignore"):
            value = np.exp(target, dtype=np.float32) if self.log else target.astype(np.float32)
            cost = value * np.float32(self.scale) + np.float32(self.center)
        return np.asarray(np.clip(cost, *_bounds(workload)), dtype=np.float32)

    def node(self, workload: Workload, target: spox.Var) -> spox.Var:
        """Target to cost in a graph, float32 [rows]."""
        value = op.exp(target) if self.log else target
        if self.scale != 1:
            value = op.mul(value, op.const(self.scale, np.float32))
        if self.center != 0:
            value = op.add(value, op.const(self.center, np.float32))
        return op.clip(value, *(op.constant(value=np.array(bound)) for bound in _bounds(workload)))

    def spread_node(self, spread: spox.Var) -> spox.Var:
        """A standard deviation of targets to one of costs, or of their logarithms where the target is one."""
        return spread if self.log or self.scale == 1 else op.mul(spread, op.const(self.scale, np.float32))


def _bounds(workload: Workload) -> tuple[np.float32, np.float32]:
    return np.float32(max(workload.cost.minimum, -LARGEST)), np.float32(min(workload.cost.maximum, LARGEST))
