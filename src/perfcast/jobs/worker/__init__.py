"""Who runs jobs: a worker claims them and runs each as a process group of its own.

`_supervision` watches that group, `_child` is what runs in it. Beside them a worker puts back what a dead one left
behind (`_reaper`), deletes what is old (`_retention`), submits what is due and exports what has ended.
"""

from perfcast.jobs.worker._process import run_worker
from perfcast.jobs.worker._worker import Worker

__all__ = ["Worker", "run_worker"]
