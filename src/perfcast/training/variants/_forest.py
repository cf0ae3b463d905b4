"""Fewer leaves: the weakest splits of all trees are taken back, one after another.

This is the reduced-error form of cost-complexity pruning (Breiman et al. 1984, Classification and Regression Trees,
chapter 3): a split whose two leaves become one costs the sum of squares nₗ·nᵣ / (nₗ + nᵣ) · (vₗ − vᵣ)² over the rows
that reach it, so the split with the least goes first. The new leaf is the mean of the two by those rows, so the model's
mean stays, and between what stood beside it, so that a trend the tree keeps is still kept.
"""

import heapq

import numpy as np
import onnx
from onnx import helper

from perfcast.training.families._tree_graph import Trees, tree_attributes
from perfcast.training.variants._graph import Array, Graph
from perfcast.workloads import Rows

OPERATOR = "TreeEnsembleRegressor"
_SIDES = ("BRANCH_LT", "BRANCH_LEQ")


def prune_trees(graph: Graph, keep: float, features: Rows) -> int:
    """Thin out every tree ensemble of a graph to this share of its leaves, by the rows it has learnt from.

    Returns:
        How many leaves are gone; 0 where it holds no trees that can be thinned out.
    """
    gone = 0
    for node in graph.nodes:
        trees = _read(node) if node.op_type == OPERATOR else None
        if trees is not None:
            inputs = np.asarray(graph.values(node.input[0], features), dtype=np.float32)
            thinner = merge_weakest(trees, visits(trees, inputs), keep)
            gone += int((trees.left < 0).sum() - (thinner.left < 0).sum())
            _write(node, thinner)
    return gone


def visits(trees: Trees, inputs: Rows) -> Array:
    """How many rows reach each node, int64 [nodes], of float32 [rows, inputs]."""
    starts = np.cumsum([0, *trees.sizes[:-1]])
    offset = np.repeat(starts, trees.sizes)
    counts = np.zeros(len(trees.left), dtype=np.int64)
    rows = np.arange(len(inputs))
    for start in starts:
        at = np.full(len(inputs), start)
        moving = rows
        while len(moving):
            counts += np.bincount(at[moving], minlength=len(counts))
            moving = moving[trees.left[at[moving]] >= 0]
            here = at[moving]
            value, limit = inputs[moving, trees.feature[here]], trees.value[here]
            goes_left = value < limit if trees.mode == "BRANCH_LT" else value <= limit
            at[moving] = np.where(goes_left, trees.left[here], trees.right[here]) + offset[here]
    return counts


def merge_weakest(trees: Trees, counts: Array, keep: float) -> Trees:
    """The trees with the weakest splits taken back until a share of the leaves is left, at least one a tree.

    `counts` is what `visits` gave.
    """
    offset = np.repeat(np.cumsum([0, *trees.sizes[:-1]]), trees.sizes)
    left = np.where(trees.left >= 0, trees.left + offset, -1)
    right = np.where(trees.right >= 0, trees.right + offset, -1)
    parent = np.full(len(left), -1)
    inner = np.flatnonzero(left >= 0)
    parent[left[inner]] = parent[right[inner]] = inner
    value = trees.value.astype(np.float64)
    leaves = int((left < 0).sum())
    wanted = max(len(trees.sizes), round(keep * leaves))
    ready = [node for node in inner.tolist() if left[left[node]] < 0 and left[right[node]] < 0]
    heap = [(_loss(counts, value, left[node], right[node]), node) for node in ready]
    heapq.heapify(heap)
    while leaves > wanted and heap:
        _, node = heapq.heappop(heap)
        one, two = left[node], right[node]
        both = counts[one] + counts[two]
        value[node] = (
            (counts[one] * value[one] + counts[two] * value[two]) / both if both else (value[one] + value[two]) / 2
        )
        left[node] = right[node] = -1
        leaves -= 1
        above = parent[node]
        if above >= 0 and left[left[above]] < 0 and left[right[above]] < 0:
            heapq.heappush(heap, (_loss(counts, value, left[above], right[above]), above))
    return _rebuilt(trees, left, right, value)


def _loss(counts: Array, value: Array, one: int, two: int) -> float:
    together = counts[one] + counts[two]
    return float(counts[one] * counts[two] / max(together, 1) * (value[one] - value[two]) ** 2)


def _rebuilt(trees: Trees, left: Array, right: Array, value: Array) -> Trees:
    """Without the nodes that nothing leads to any more; numbered anew within each tree."""
    reached = np.zeros(len(left), dtype=bool)
    starts = np.cumsum([0, *trees.sizes[:-1]])
    level = starts
    while len(level):
        reached[level] = True
        level = level[left[level] >= 0]
        level = np.concatenate([left[level], right[level]])
    tree = np.repeat(np.arange(len(trees.sizes)), trees.sizes)[reached]
    sizes = np.bincount(tree, minlength=len(trees.sizes))
    number = np.cumsum(reached) - 1
    first = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    leaf = left[reached] < 0
    return Trees(
        left=np.where(leaf, -1, number[left[reached]] - first),
        right=np.where(leaf, -1, number[right[reached]] - first),
        feature=np.where(leaf, 0, trees.feature[reached]),
        value=value[reached].astype(np.float32),
        sizes=tuple(sizes.tolist()),
        mode=trees.mode,
        base=trees.base,
    )


def _read(node: onnx.NodeProto) -> Trees | None:
    """The trees of a node; None where they are of a kind that no family of ours makes."""
    found = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    modes = np.array([mode.decode() for mode in found.get("nodes_modes", ())])
    sides = set(modes.tolist()) - {"LEAF"}
    if len(sides) != 1 or not sides <= set(_SIDES) or found.get("aggregate_function", b"SUM") != b"SUM":
        return None
    if found.get("n_targets", 1) != 1 or found.get("post_transform", b"NONE") != b"NONE":
        return None
    trees, nodes = np.array(found["nodes_treeids"]), np.array(found["nodes_nodeids"])
    order = np.lexsort((nodes, trees))
    tree, leaf, most = trees[order], modes[order] == "LEAF", nodes.max() + 1
    keys = tree * most + nodes[order]

    targets = np.searchsorted(keys, np.array(found["target_treeids"]) * most + np.array(found["target_nodeids"]))
    if len(set(targets.tolist())) != len(targets):
        return None
    weights = np.zeros(len(tree), dtype=np.float32)
    weights[targets] = found["target_weights"]
    _, sizes = np.unique(tree, return_counts=True)
    first = np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)

    def children(name: str) -> Array:
        """Positions within the tree, whatever the nodes' own numbers are."""
        return np.where(leaf, -1, np.searchsorted(keys, tree * most + np.array(found[name])[order]) - first)

    return Trees(
        left=children("nodes_truenodeids"),
        right=children("nodes_falsenodeids"),
        feature=np.array(found["nodes_featureids"])[order],
        value=np.where(leaf, weights, np.array(found["nodes_values"], dtype=np.float32)[order]),
        sizes=tuple(sizes.tolist()),
        mode="BRANCH_LT" if sides == {"BRANCH_LT"} else "BRANCH_LEQ",
        base=float(next(iter(found.get("base_values", ())), 0.0)),
    )


def _write(node: onnx.NodeProto, trees: Trees) -> None:
    """What is left out has its usual value, else the node had not been read."""
    del node.attribute[:]
    node.attribute.extend(helper.make_attribute(name, value) for name, value in tree_attributes(trees).items())
