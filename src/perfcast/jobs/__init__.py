"""Training runs: from a request to registered versions, watched, cancelled, killed and continued.

`run_training` trains in the caller's process. `Jobs` is the queue of those that run elsewhere: a row of SQL each, whose
claim is one conditional update and whose every write is fenced by it. `Submissions` completes what a caller asks for.
A `Worker` claims jobs, woken by a `Transport` (Huey's queue in a file or in Redis, which carries ids only), and runs
each as a process group of its own (`_supervision`, `_child`); its reaper puts back what a dead worker left
behind, its scheduler submits what is due (`schedules`), and its exporter writes what has ended to MLflow.
"""

from perfcast.jobs._attached import attached_worker
from perfcast.jobs._job import STATUSES, Fence, Job, JobRequest, Progress, Status
from perfcast.jobs._jobs import CANCEL_SECONDS, Jobs
from perfcast.jobs._process import run_worker
from perfcast.jobs._run import Outcome, TrainingRequest, default_model, publish, run_training
from perfcast.jobs._submission import FAMILIES, Asked, Submissions
from perfcast.jobs._transport import HueyTransport, Transport, make_transport
from perfcast.jobs._worker import Worker
from perfcast.jobs.schedules import Plan, Retrain, Schedule, ScheduleEvent, Scheduler, Schedules

__all__ = [
    "CANCEL_SECONDS",
    "FAMILIES",
    "STATUSES",
    "Asked",
    "Fence",
    "HueyTransport",
    "Job",
    "JobRequest",
    "Jobs",
    "Outcome",
    "Plan",
    "Progress",
    "Retrain",
    "Schedule",
    "ScheduleEvent",
    "Scheduler",
    "Schedules",
    "Status",
    "Submissions",
    "TrainingRequest",
    "Transport",
    "Worker",
    "attached_worker",
    "default_model",
    "make_transport",
    "publish",
    "run_training",
    "run_worker",
]
