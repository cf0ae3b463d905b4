"""How good predictions are: their errors, their intervals, whether they keep trends, and are fit to answer."""

from perfcast.training.judging._calibration import calibrate
from perfcast.training.judging._gate import Verdict, best_constant, judge
from perfcast.training.judging._metrics import evaluate, score
from perfcast.training.judging._trends import broken_trends

__all__ = ["Verdict", "best_constant", "broken_trends", "calibrate", "evaluate", "judge", "score"]
