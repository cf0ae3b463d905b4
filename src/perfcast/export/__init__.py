"""From a fitted model to the one ONNX graph that serves it.

`compose` builds the graph (rule R1) out of a workload's expressions (rule R2) and a family's own graph; `check_parity`
is the gate it must pass (rule R3); `measure` records its size and speed.
"""

from perfcast.export._compose import compose
from perfcast.export._runtime import LARGEST_DIFFERENCE, Predict, check_parity, libraries, measure, run, run_with_spread
from perfcast.export._target import Target

__all__ = [
    "LARGEST_DIFFERENCE",
    "Predict",
    "Target",
    "check_parity",
    "compose",
    "libraries",
    "measure",
    "run",
    "run_with_spread",
]
