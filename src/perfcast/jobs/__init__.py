"""Training runs: from a request to registered versions, watched, cancelled, killed and continued.

`queue/` holds the jobs, a row of SQL each, and how word of them travels; `run/` is what a job does; `worker/` claims
jobs and runs each as a process group of its own; `schedules/` says when models are trained anew, and `mlflow/` writes
what has ended to an MLflow server.
"""

from perfcast.jobs.queue import (
    FAMILIES,
    STATUSES,
    Asked,
    Fence,
    Job,
    JobRequest,
    Jobs,
    Progress,
    Status,
    Submissions,
    default_model,
    make_transport,
)
from perfcast.jobs.run import Outcome, run_training
from perfcast.jobs.schedules import Plan, Retrain, ScheduleEvent, Scheduler, Schedules
from perfcast.jobs.worker import Worker, attached_worker, run_worker

__all__ = [
    "FAMILIES",
    "STATUSES",
    "Asked",
    "Fence",
    "Job",
    "JobRequest",
    "Jobs",
    "Outcome",
    "Plan",
    "Progress",
    "Retrain",
    "ScheduleEvent",
    "Scheduler",
    "Schedules",
    "Status",
    "Submissions",
    "Worker",
    "attached_worker",
    "default_model",
    "make_transport",
    "run_training",
    "run_worker",
]
