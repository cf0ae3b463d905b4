"""How good predictions are: errors, intervals, trends, whether they are fit to answer; and what is usual for them."""

from perfcast.training.judging._calibration import calibrate
from perfcast.training.judging._gate import Verdict, best_constant, judge
from perfcast.training.judging._metrics import errors, evaluate, score
from perfcast.training.judging._reference import make_reference
from perfcast.training.judging._trends import broken_trends

__all__ = [
    "Verdict",
    "best_constant",
    "broken_trends",
    "calibrate",
    "errors",
    "evaluate",
    "judge",
    "make_reference",
    "score",
]
