"""Operators other than convolutions, for the profiler: how they are sampled and run.

`OPERATORS` is what `perfcast profile --what operators` measures; rounds, journal, acceptance and data card are those of
`perfcast.workloads.cnn_execution_time.profiler`.
"""

from ._configurations import WORKLOAD, OperatorConfig
from ._operators import OPERATORS

__all__ = ["OPERATORS", "WORKLOAD", "OperatorConfig"]
