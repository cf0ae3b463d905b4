"""Training runs: from a request to registered versions.

`run_training` trains on a dataset, registers the best version of each family, and lets the promotion gate decide
whether the best of them becomes champion. It runs in the caller's process; a queue and workers build on it.
"""

from perfcast.jobs._run import Outcome, TrainingRequest, default_model, publish, run_training

__all__ = ["Outcome", "TrainingRequest", "default_model", "publish", "run_training"]
