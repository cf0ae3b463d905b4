"""How far the members of a mean disagree, in its graph."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import spox
import spox.opset.ai.onnx.v21 as op


def spread_node(
    answers: spox.Var, weights: npt.NDArray[np.float64], own: Mapping[int, spox.Var] | None = None, *, scale: float = 1
) -> spox.Var:
    """How far members' answers, float32 [rows, members], lie apart: their standard deviation, float32 [rows, 1].

    By the law of total variance: Σ w · (s² + (a − Σ w · a)²), where members have spreads s of their own.

    Args:
        answers: In target space, float32 [rows, members].
        weights: Of the members, float64 [members]; they add up to 1.
        own: Some members' spreads by position, float32 [rows, 1] each.
        scale: What answers are to be multiplied by.
    """
    roots = scale * np.sqrt(weights)
    from_mean = (np.eye(len(weights)) - weights[:, None]) * roots
    apart = [op.matmul(answers, op.constant(value=from_mean.astype(np.float32)))]
    apart += [op.mul(spread, op.const(roots[at], np.float32)) for at, spread in (own or {}).items()]
    together = op.concat(apart, axis=1) if len(apart) > 1 else apart[0]
    return op.reduce_l2(together, op.constant(value=np.array([1], dtype=np.int64)), keepdims=1)
