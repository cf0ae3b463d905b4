"""Alert and recording rules, said once, for Prometheus' rule files and for the operator's `PrometheusRule`.

What pages (`critical`) is consequence: callers get no answer, a wrong one or a late one, or what was told is lost. What
explains it is `warning` (look at it today) or `info` (nobody is called). Each alert has a section in docs/runbooks.md.
"""

from deploy.dashboards.rules._access import ACCESS
from deploy.dashboards.rules._availability import AVAILABILITY
from deploy.dashboards.rules._machine import MACHINE
from deploy.dashboards.rules._missing import missing
from deploy.dashboards.rules._recordings import RECORDINGS
from deploy.dashboards.rules._rule import Alert, Group, Recording
from deploy.dashboards.rules._training import TRAINING
from deploy.dashboards.rules._truth import TRUTH
from deploy.dashboards.rules._watching import WATCHING

_KNOWING = (AVAILABILITY, TRUTH, WATCHING, TRAINING, MACHINE, ACCESS)
GROUPS: tuple[Group, ...] = (RECORDINGS, *_KNOWING, missing(_KNOWING))

__all__ = ["GROUPS", "Alert", "Group", "Recording"]
