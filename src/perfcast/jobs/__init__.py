"""Training runs: from a request to registered versions, watched, cancelled, killed and continued.

`queue/` holds the jobs, a row of SQL each, and how word of them travels; `run/` is what a job does; `worker/` claims
jobs and runs each as a process group of its own; `schedules/` says when models are trained anew, and `mlflow/` writes
what has ended to an MLflow server.
"""

from perfcast.jobs.queue import (
    STATUSES,
    Asked,
    Effort,
    Job,
    Jobs,
    Once,
    Submissions,
    default_model,
    job_figures,
    make_transport,
)
from perfcast.jobs.run import Outcome, find_base, run_training
from perfcast.jobs.schedules import Plan, Schedules, fired_counts
from perfcast.jobs.worker import run_worker

__all__ = [
    "STATUSES",
    "Asked",
    "Effort",
    "Job",
    "Jobs",
    "Once",
    "Outcome",
    "Plan",
    "Schedules",
    "Submissions",
    "default_model",
    "find_base",
    "fired_counts",
    "job_figures",
    "make_transport",
    "run_training",
    "run_worker",
]
