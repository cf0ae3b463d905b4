"""A version with fewer leaves and neurons."""

from perfcast.errors import InvalidSetting, Refused
from perfcast.training.variants._forest import prune_trees
from perfcast.training.variants._graph import Graph
from perfcast.training.variants._neurons import prune_neurons
from perfcast.workloads import Rows


def prune(graph: bytes, keep: float, features: Rows) -> bytes:
    """Take the weakest splits of its trees back; where it has none, leave out the weakest neurons of its network.

    In a mean of trees and a network only the trees are thinned out: halving the network of the shipped ensemble as well
    saved 1 % of its bytes more and cost 8 % in error (docs/models.md).

    Args:
        graph: A version's serialised graph.
        keep: Share of leaves and of hidden neurons to keep, over 0 and below 1.
        features: The rows it has learnt from, float32 [rows, features]; they say how much each of them matters.

    Raises:
        InvalidSetting: The share is none.
        Refused: There is nothing to prune.
    """
    if not 0 < keep < 1:
        raise InvalidSetting(f"--keep must be over 0 and below 1, got {keep:g}")
    thinner = Graph(graph)
    if not prune_trees(thinner, keep, features) and not prune_neurons(thinner, keep, features):
        raise Refused(
            "there is nothing to prune: the graph holds no trees whose splits could be taken back, and no hidden layer "
            "between two others; `perfcast models quantize` may make it smaller"
        )
    return thinner.to_bytes()
