"""What the page Monitoring is made of.

`_exposition` reads Prometheus' text, `_polls` makes figures of the differences between two looks at it; each of
`_condition`, `_traffic`, `_models`, `_accuracy`, `_corrections` and `_drift` shows one thing, `_runbooks` says where to
read what to do.
"""

from perfcast.ui.parts.monitoring._accuracy import accuracy
from perfcast.ui.parts.monitoring._condition import condition
from perfcast.ui.parts.monitoring._corrections import corrections
from perfcast.ui.parts.monitoring._drift import drift
from perfcast.ui.parts.monitoring._exposition import Look, look, quantile, read
from perfcast.ui.parts.monitoring._models import alarms, every_model
from perfcast.ui.parts.monitoring._polls import EVERY_SECONDS, Course, Step, between
from perfcast.ui.parts.monitoring._runbooks import links
from perfcast.ui.parts.monitoring._traffic import traffic

__all__ = [
    "EVERY_SECONDS", "Course", "Look", "Step", "accuracy", "alarms", "between", "condition", "corrections", "drift",
    "every_model", "links", "look", "quantile", "read", "traffic",
]  # fmt: skip
