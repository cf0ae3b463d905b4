"""Smaller or quicker forms of a version, each registered as a version with what it costs in accuracy (rule R3).

`quantize` keeps a network's weights as whole numbers of eight bits; `prune` takes the weakest splits of trees back and
leaves the weakest neurons out; `distill` teaches a network that reads few derived quantities what the version answers.
`vary` measures what came of it on the rows that the original was judged by. All of them work on the graph, so the
native model needn't exist any more.
"""

from perfcast.training.variants._distill import distill
from perfcast.training.variants._prune import prune
from perfcast.training.variants._quantize import quantize
from perfcast.training.variants._vary import Figures, Variation, vary

__all__ = ["Figures", "Variation", "distill", "prune", "quantize", "vary"]
