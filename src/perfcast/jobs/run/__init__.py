"""What a job does: prepare its study, train, register the versions, let the gate decide.

`run_training` does it in the caller's process; a worker's child does the same step by step.
"""

from perfcast.jobs.run._base import find_base
from perfcast.jobs.run._lesson import Lesson, make_lesson
from perfcast.jobs.run._publication import promote, register
from perfcast.jobs.run._run import Outcome, champions_manifest, learn, run_training
from perfcast.jobs.run._studies import SCHEMA, prepared_study, studies_folder

__all__ = [
    "SCHEMA",
    "Lesson",
    "Outcome",
    "champions_manifest",
    "find_base",
    "learn",
    "make_lesson",
    "prepared_study",
    "promote",
    "register",
    "run_training",
    "studies_folder",
]
