"""Smaller or quicker forms of a version, each registered as a version with what it costs in accuracy (rule R3).

`quantize` keeps a network's weights as whole numbers of eight bits; `prune` takes the weakest splits of trees back and
leaves the weakest neurons out.
`vary` measures what came of it on the rows that the original was judged by. All of them work on the graph, so the
native model needn't exist any more.
"""

from perfcast.training.variants._prune import prune
from perfcast.training.variants._quantize import quantize
from perfcast.training.variants._vary import Figures, Variation, vary

__all__ = ["Figures", "Variation", "prune", "quantize", "vary"]
