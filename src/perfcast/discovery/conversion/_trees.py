"""Decision trees as one node that compares and adds up in float64, as scikit-learn does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import spox
import spox.opset.ai.onnx.ml.v3 as ml
import spox.opset.ai.onnx.v21 as op

from perfcast.discovery.conversion._original import Doubles, Stage, constant


@dataclass(frozen=True)
class Tree:
    """One tree; its nodes are numbered from 0, which is the root.

    Attributes:
        left, right: int64 [nodes]: children; −1 for a leaf.
        feature: int64 [nodes]: the input asked about.
        threshold: double [nodes].
        leaf: double [nodes]: what a leaf adds to the sum.
        missing_left: bool [nodes]: whether a missing value goes left.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: Doubles
    leaf: Doubles
    missing_left: npt.NDArray[np.bool_]


def sum_of_trees(
    trees: Sequence[Tree], base: float, mode: str, *, missing: float = np.nan, in_float32: bool = True
) -> Stage:
    """The stage that adds up the leaves.

    Args:
        trees: The trees.
        base: Added to the sum.
        mode: How a row goes left: `BRANCH_LT` or `BRANCH_LEQ`.
        missing: What stands for a missing value, besides NaN.
        in_float32: Whether the library rounds its inputs to float32.
    """
    left, right, feature, threshold, weight, missing_left = (
        np.concatenate([getattr(tree, name) for tree in trees])
        for name in ("left", "right", "feature", "threshold", "leaf", "missing_left")
    )
    sizes = [len(tree.left) for tree in trees]
    tree = np.repeat(np.arange(len(sizes)), sizes)
    node = np.concatenate([np.arange(size) for size in sizes])
    leaf = left < 0

    def stage(inputs: spox.Var) -> spox.Var:
        rounded = op.cast(op.cast(inputs, to=np.float32), to=np.float64) if in_float32 else inputs
        if not np.isnan(missing):
            rounded = op.where(op.equal(rounded, constant(np.float32(missing))), constant(np.nan), rounded)
        total = ml.tree_ensemble_regressor(
            rounded,
            base_values_as_tensor=np.array([base], dtype=np.float64),
            n_targets=1,
            nodes_treeids=tree.tolist(),
            nodes_nodeids=node.tolist(),
            nodes_featureids=np.where(leaf, 0, feature).tolist(),
            nodes_modes=np.where(leaf, "LEAF", mode).tolist(),
            nodes_values_as_tensor=np.where(leaf, 0.0, threshold),
            nodes_missing_value_tracks_true=missing_left.astype(np.int64).tolist(),
            nodes_truenodeids=np.where(leaf, 0, left).tolist(),
            nodes_falsenodeids=np.where(leaf, 0, right).tolist(),
            target_treeids=tree[leaf].tolist(),
            target_nodeids=node[leaf].tolist(),
            target_ids=[0] * int(leaf.sum()),
            target_weights_as_tensor=weight[leaf],
        )
        return op.cast(total, to=np.float64)

    return stage


def special(trees: Sequence[Tree], missing: float = np.nan) -> dict[int, Doubles]:
    """What stands for a missing value and the distinct thresholds, of each input that is asked about."""
    feature = np.concatenate([tree.feature[tree.left >= 0] for tree in trees])
    value = np.concatenate([tree.threshold[tree.left >= 0] for tree in trees])
    marker = [] if np.isnan(missing) else [missing]
    return {int(item): np.concatenate([marker, np.unique(value[feature == item])]) for item in np.unique(feature)}


def shape_of(tree: Any) -> Mapping[str, Any]:
    """What the arrays of a scikit-learn tree are called here."""
    return {
        "left": tree.children_left.astype(np.int64),
        "right": tree.children_right.astype(np.int64),
        "feature": tree.feature.astype(np.int64),
        "threshold": tree.threshold.astype(np.float64),
        "missing_left": tree.missing_go_to_left.astype(np.bool_),
    }
