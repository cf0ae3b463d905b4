"""Metrics that alerts rely on and that are gone: without this, an alert on a renamed metric is silent for ever."""

import re
from collections.abc import Iterable

from deploy.dashboards._metrics import ALWAYS
from deploy.dashboards.rules._rule import Alert, Group


def missing(groups: Iterable[Group]) -> Group:
    """An alert for each of the metrics that the groups' alerts need and that a server shows from its start."""
    words = {word for group in groups for alert in group.alerts for word in re.findall(r"[a-z_]+", alert.expr)}
    needed = sorted(words & ALWAYS)
    here = "count by (job) (perfcast_uptime_seconds)"
    gone = " or ".join(f'label_replace({here} unless on (job) {name}, "metric", "{name}", "", "")' for name in needed)
    return Group(
        "missing",
        [
            Alert(
                "PerfcastMetricMissing",
                "warning",
                "10m",
                "{{ $labels.job }} no longer shows {{ $labels.metric }}",
                "Alerts that look at it can't fire: an older version is running, or a relabelling drops it.",
                gone,
            )
        ],
    )
