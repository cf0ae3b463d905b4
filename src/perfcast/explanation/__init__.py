"""Why a model answers as it does: what each feature adds to one prediction, and how much it matters altogether.

Knows workloads and any callable that predicts; `training` keeps what is needed with each version, the API and the
command line ask.
"""

from perfcast.explanation._shapley import Contribution, Explanation, choose_background, explain, importance

__all__ = ["Contribution", "Explanation", "choose_background", "explain", "importance"]
