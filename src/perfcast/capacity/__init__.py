"""How much more load a service takes: what a limit on its cost means for its load.

`find_headroom` asks a predictor along a load, with what follows it moved along (`_following`), for the largest load
whose upper bound stays within the limit. Knows workloads and whatever predicts; no server and no registry.
"""

from perfcast.capacity._following import Following, follows
from perfcast.capacity._headroom import CONFIDENCES, Bounds, CurvePoints, Headroom, find_headroom

__all__ = ["CONFIDENCES", "Bounds", "CurvePoints", "Following", "Headroom", "find_headroom", "follows"]
