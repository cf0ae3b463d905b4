"""What an installation needs at a rate of requests and a number of models, from figures that were measured.

`_figures` has every constant with its source, `_capacity` the arithmetic, `_queue` how long callers wait.
"""

from ._capacity import Load, Plan, plan
from ._figures import Figures, described
from ._queue import SERVICE, mean_wait, simulate

__all__ = ["SERVICE", "Figures", "Load", "Plan", "described", "mean_wait", "plan", "simulate"]
