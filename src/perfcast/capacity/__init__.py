"""How much more load a service takes: what a limit on its cost means for its load.

`find_headroom` asks a predictor along a load, with what follows it moved along (`Following`), for the largest load
whose upper bound stays within the limit. `answer_headroom` does so for a version: the answer of `POST /headroom`.
"""

from perfcast.capacity._answer import Question, answer_headroom
from perfcast.capacity._following import Following, follows
from perfcast.capacity._headroom import CONFIDENCES, Bounds, CurvePoints, Headroom, find_headroom, one_load

__all__ = [
    "CONFIDENCES",
    "Bounds",
    "CurvePoints",
    "Following",
    "Headroom",
    "Question",
    "answer_headroom",
    "find_headroom",
    "follows",
    "one_load",
]
