"""How much more load a service takes: what a limit on its cost means for its load.

`find_headroom` asks a predictor along a load, with what follows it moved along (`Following`), for the largest load
whose upper bound stays within the limit. `find_runway` forecasts the load (`_forecast`) and says when the bound first
passes the limit. `answer_headroom` and `answer_runway` do so for a version: the answers of `POST /headroom`, `/runway`.
"""

from perfcast.capacity._answer import Question, answer_headroom, coverage_for
from perfcast.capacity._following import Following, follows
from perfcast.capacity._forecast import Forecast, History, forecast
from perfcast.capacity._headroom import CONFIDENCES, Bounds, CurvePoints, Headroom, find_headroom, one_load
from perfcast.capacity._line import named, newest_rows
from perfcast.capacity._runway import Runway, find_runway
from perfcast.capacity._runway_answer import RunwayQuestion, answer_runway

__all__ = [
    "CONFIDENCES",
    "Bounds",
    "CurvePoints",
    "Following",
    "Forecast",
    "Headroom",
    "History",
    "Question",
    "Runway",
    "RunwayQuestion",
    "answer_headroom",
    "answer_runway",
    "coverage_for",
    "find_headroom",
    "find_runway",
    "follows",
    "forecast",
    "named",
    "newest_rows",
    "one_load",
]
