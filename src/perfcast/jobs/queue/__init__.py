"""The queue: jobs as rows of SQL, and how word of them travels.

`Jobs` is the queue; each claim is one conditional update, and each write is fenced by it. `Submissions` completes what
a caller asks for. A `Transport` (Huey's queue in Redis, PostgreSQL or a file) carries ids only.
"""

from perfcast.jobs.queue._figures import JobFigures, job_figures
from perfcast.jobs.queue._job import STATUSES, UNFINISHED, Effort, Fence, Job, JobRequest, Once, Progress
from perfcast.jobs.queue._jobs import Jobs
from perfcast.jobs.queue._submission import Asked, Submissions, default_model
from perfcast.jobs.queue._transport import Transport, make_transport

__all__ = [
    "STATUSES",
    "UNFINISHED",
    "Asked",
    "Effort",
    "Fence",
    "Job",
    "JobFigures",
    "JobRequest",
    "Jobs",
    "Once",
    "Progress",
    "Submissions",
    "Transport",
    "default_model",
    "job_figures",
    "make_transport",
]
