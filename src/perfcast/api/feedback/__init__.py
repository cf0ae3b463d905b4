"""`POST /feedback`: what predictions turned out to be.

An actual is told by its prediction's id, or with the features it belongs to, which are then predicted as a batch
predicts them. It is in the database before the answer is; a worker joins it with what was predicted
(`perfcast.monitoring`).
"""

from perfcast.api.feedback._feedback import Feedback

__all__ = ["Feedback"]
