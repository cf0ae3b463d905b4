"""How good predictions are: their errors, their intervals, and whether they are better than the champion's."""

from perfcast.training.judging._calibration import calibrate, conformal_quantile
from perfcast.training.judging._gate import Verdict, judge
from perfcast.training.judging._metrics import evaluate, score

__all__ = [
    "Verdict",
    "calibrate",
    "conformal_quantile",
    "evaluate",
    "judge",
    "score",
]
