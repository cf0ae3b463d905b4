"""Drift that can be believed: what has moved, measured against what was usual at training, within a budget of alarms."""

from perfcast.monitoring.drift._charts import make_chart, step
from perfcast.monitoring.drift._inputs import (
    day_distances,
    distance,
    histogram,
    make_edges,
    thresholds_of_days,
    thresholds_of_rows,
)
from perfcast.monitoring.drift._limits import LEAST_DAY_ROWS, LEAST_ROWS
from perfcast.monitoring.drift._quality import longest_run, relative_error, scale_of
