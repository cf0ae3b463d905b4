"""Decision trees as one ONNX `TreeEnsembleRegressor`, from plain arrays, whichever library grew them."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
import spox
import spox.opset.ai.onnx.ml.v3 as ml

from perfcast.training.families._family import Settings
from perfcast.workloads import Rows

Numbers = npt.NDArray[np.int64]
BYTES_PER_NODE = 34
"""About what one node takes in a serialised graph."""


@dataclass(frozen=True)
class Trees:
    """Trees, concatenated.

    Attributes:
        left, right: int64 [nodes]: a node's children, counted within its tree; -1 for a leaf.
        feature: int64 [nodes]: the input that a node asks about.
        value: float32 [nodes]: a node's threshold, or a leaf's contribution.
        sizes: Number of nodes of each tree, in order.
        mode: How a row goes left: `BRANCH_LT` (input < threshold) or `BRANCH_LEQ` (input ≤ threshold).
        base: Added to the sum of the leaves.
    """

    left: Numbers
    right: Numbers
    feature: Numbers
    value: Rows
    sizes: tuple[int, ...]
    mode: Literal["BRANCH_LT", "BRANCH_LEQ"]
    base: float

    def thresholds(self) -> dict[int, Rows]:
        """The distinct thresholds of each input that is asked about."""
        inner = self.left >= 0
        feature, value = self.feature[inner], self.value[inner]
        return {int(position): np.unique(value[feature == position]) for position in np.unique(feature)}


@dataclass(frozen=True)
class FittedTrees:
    """A fitted model of trees.

    Attributes:
        settings: As given, with as many trees as there are.
        inputs: How many inputs it takes.
    """

    settings: Settings
    inputs: int

    @property
    @abstractmethod
    def trees(self) -> Trees:
        """Them as arrays."""

    def graph(self) -> onnx.ModelProto:
        """All trees in one node."""
        return tree_graph(self.trees, self.inputs)

    def details(self) -> dict[str, Any]:
        """How many trees and nodes."""
        counted = {name: self.settings[name] for name in ("rounds", "trees") if name in self.settings}
        return {**counted, "nodes": len(self.trees.left)}

    def thresholds(self) -> Mapping[int, Rows]:
        """Every threshold, as the graph has it."""
        return self.trees.thresholds()


def tree_graph(trees: Trees, inputs: int) -> onnx.ModelProto:
    """The graph that adds up the leaves, from float32 [rows, inputs] to float32 [rows, 1]."""
    argument = spox.argument(spox.Tensor(np.float32, ("rows", inputs)))
    total = ml.tree_ensemble_regressor(argument, **tree_attributes(trees))
    return spox.build({"inputs": argument}, {"target": total})


def tree_attributes(trees: Trees) -> dict[str, Any]:
    """The attributes of the node that holds these trees, by ONNX's names."""
    leaf = trees.left < 0
    tree = np.repeat(np.arange(len(trees.sizes)), trees.sizes)
    node = np.concatenate([np.arange(size) for size in trees.sizes])
    return {
        "base_values": [trees.base],
        "n_targets": 1,
        "nodes_treeids": tree.tolist(),
        "nodes_nodeids": node.tolist(),
        "nodes_featureids": np.where(leaf, 0, trees.feature).tolist(),
        "nodes_modes": np.where(leaf, "LEAF", trees.mode).tolist(),
        "nodes_values": np.where(leaf, np.float32(0), trees.value).tolist(),
        "nodes_truenodeids": np.where(leaf, 0, trees.left).tolist(),
        "nodes_falsenodeids": np.where(leaf, 0, trees.right).tolist(),
        "target_treeids": tree[leaf].tolist(),
        "target_nodeids": node[leaf].tolist(),
        "target_ids": [0] * int(leaf.sum()),
        "target_weights": trees.value[leaf].tolist(),
    }


def join(parts: Sequence[npt.ArrayLike]) -> Numbers:
    """Several lists of whole numbers, one after another."""
    return np.concatenate([np.asarray(part, dtype=np.int64) for part in parts])


def rounded_down(thresholds: npt.NDArray[np.float64]) -> Rows:
    """float64 thresholds as the float32 at or below each, so that `x <= t` holds for the same float32 x."""
    nearest = thresholds.astype(np.float32)
    return np.where(nearest.astype(np.float64) > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)
