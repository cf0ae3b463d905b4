"""A version with fewer leaves."""

from perfcast.errors import InvalidSetting, Refused
from perfcast.training.variants._forest import prune_trees
from perfcast.training.variants._graph import Graph
from perfcast.workloads import Rows


def prune(graph: bytes, keep: float, features: Rows) -> bytes:
    """Take the weakest splits of its trees back.

    Args:
        graph: A version's serialised graph.
        keep: Share of leaves to keep, over 0 and below 1.
        features: The rows it has learnt from, float32 [rows, features]; they say how much each split matters.

    Raises:
        InvalidSetting: The share is none.
        Refused: There is nothing to prune.
    """
    if not 0 < keep < 1:
        raise InvalidSetting(f"--keep must be over 0 and below 1, got {keep:g}")
    thinner = Graph(graph)
    if not prune_trees(thinner, keep, features):
        raise Refused(
            "there is nothing to prune: the graph holds no trees whose splits could be taken back; networks and "
            "polynomials become smaller with `perfcast models quantize`"
        )
    return thinner.to_bytes()
