"""Continuous training: when a model is trained anew, and the history of what came of it.

A `Schedule` is one row a model, with up to three triggers: a cron expression, a number of new rows, and signals that
its live accuracy or its inputs have moved. `Schedules` keeps them; a `Scheduler` in each worker looks at them every
few seconds and submits a normal job for one that is due, unless one of that model is queued or running or the last
run is too recent. Of several schedulers exactly one fires: a conditional update in the job's own transaction decides.
"""

from perfcast.jobs.schedules._repository import fired_counts
from perfcast.jobs.schedules._schedule import Plan, Retrain
from perfcast.jobs.schedules._scheduler import Scheduler
from perfcast.jobs.schedules._schedules import Schedules

__all__ = ["Plan", "Retrain", "Scheduler", "Schedules", "fired_counts"]
