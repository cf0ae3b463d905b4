"""Decision trees as one node that compares and adds up in float64, as scikit-learn does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import spox
import spox.opset.ai.onnx.ml.v3 as ml
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Stage


@dataclass(frozen=True)
class Tree:
    """One tree; its nodes are numbered from 0, which is the root.

    Attributes:
        left, right: int64 [nodes]: children; −1 for a leaf.
        feature: int64 [nodes]: the input asked about.
        threshold: double [nodes].
        leaf: double [nodes]: what a leaf adds to the sum.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: Doubles
    leaf: Doubles


def sum_of_trees(trees: Sequence[Tree], base: float, mode: str) -> Stage:
    """The stage that adds up the leaves.

    Args:
        trees: The trees.
        base: Added to the sum.
        mode: How a row goes left: `BRANCH_LT` or `BRANCH_LEQ`.
    """
    left, right, feature, threshold, weight = (
        np.concatenate([getattr(tree, name) for tree in trees])
        for name in ("left", "right", "feature", "threshold", "leaf")
    )
    sizes = [len(tree.left) for tree in trees]
    tree = np.repeat(np.arange(len(sizes)), sizes)
    node = np.concatenate([np.arange(size) for size in sizes])
    leaf = left < 0

    def stage(inputs: spox.Var) -> spox.Var:
        # The libraries read their inputs as float32.
        rounded = op.cast(op.cast(inputs, to=np.float32), to=np.float64)
        total = ml.tree_ensemble_regressor(
            rounded,
            base_values_as_tensor=np.array([base], dtype=np.float64),
            n_targets=1,
            nodes_treeids=tree.tolist(),
            nodes_nodeids=node.tolist(),
            nodes_featureids=np.where(leaf, 0, feature).tolist(),
            nodes_modes=np.where(leaf, "LEAF", mode).tolist(),
            nodes_values_as_tensor=np.where(leaf, 0.0, threshold),
            nodes_truenodeids=np.where(leaf, 0, left).tolist(),
            nodes_falsenodeids=np.where(leaf, 0, right).tolist(),
            target_treeids=tree[leaf].tolist(),
            target_nodeids=node[leaf].tolist(),
            target_ids=[0] * int(leaf.sum()),
            target_weights_as_tensor=weight[leaf],
        )
        return op.cast(total, to=np.float64)

    return stage


def thresholds(trees: Sequence[Tree]) -> dict[int, Doubles]:
    """The distinct thresholds of each input that is asked about."""
    feature = np.concatenate([tree.feature[tree.left >= 0] for tree in trees])
    value = np.concatenate([tree.threshold[tree.left >= 0] for tree in trees])
    return {int(position): np.unique(value[feature == position]) for position in np.unique(feature)}


def shape_of(tree: Any) -> Mapping[str, Any]:
    """What the arrays of a scikit-learn tree are called here."""
    return {
        "left": tree.children_left.astype(np.int64),
        "right": tree.children_right.astype(np.int64),
        "feature": tree.feature.astype(np.int64),
        "threshold": tree.threshold.astype(np.float64),
    }
