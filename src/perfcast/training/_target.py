"""What a family learns to predict: the cost itself, or its logarithm where errors are relative."""

import numpy as np

from perfcast.export import Target
from perfcast.workloads import LARGEST, Rows, Workload


def target_kind(workload: Workload) -> Target:
    """`log` where the workload's errors are relative, so that an error of 10 % weighs the same at every cost."""
    return "log" if workload.cost.relative else "identity"


def to_target(workload: Workload, cost: Rows) -> Rows:
    """Cost to target.

    Args:
        workload: Whose cost it is.
        cost: float32 [rows], in the cost's unit; above 0 where errors are relative.

    Returns:
        float32 [rows].
    """
    return np.log(cost.astype(np.float64)).astype(np.float32) if workload.cost.relative else cost.astype(np.float32)


def to_cost(workload: Workload, target: Rows) -> Rows:
    """Target to cost, clipped to the cost's bounds as the graph does.

    Args:
        workload: Whose cost it is.
        target: float32 [rows].

    Returns:
        float32 [rows], in the cost's unit.
    """
    with np.errstate(over="ignore"):
        cost = np.exp(target, dtype=np.float32) if workload.cost.relative else target.astype(np.float32)
    low, high = max(workload.cost.minimum, -LARGEST), min(workload.cost.maximum, LARGEST)
    return np.asarray(np.clip(cost, np.float32(low), np.float32(high)), dtype=np.float32)
