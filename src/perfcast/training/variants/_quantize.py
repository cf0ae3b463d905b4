"""A version whose weights are kept as whole numbers of eight bits.

Each column of a weight matrix is kept as int8 with one scale (symmetric, per channel: Jacob et al. 2018, "Quantization
and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", section 2.1). Only the weights are
rounded, not what flows between the layers: ONNX Runtime's dynamic quantisation rounds that too, by the range it has in
the present call, so that a row's answer would depend on the rows beside it (see docs/models.md for figures). The
product of numbers and scale is a constant, which ONNX Runtime computes once, when it loads the graph.
"""

import numpy as np
import onnx
from onnx import helper

from perfcast.errors import Refused
from perfcast.training.variants._graph import Array, Graph

LEAST_WEIGHTS = 256
"""A smaller matrix isn't worth it."""
_MOST = 127


def quantize(graph: bytes) -> bytes:
    """Round the weights of a graph's matrix products to int8.

    Raises:
        Refused: There is nothing to quantise.
    """
    smaller = Graph(graph)
    names = _weights(smaller)
    if not names:
        raise Refused(
            "there is nothing to quantise: the graph has no matrix product of any size; the numbers of trees are "
            "compared, not multiplied, and ONNX keeps them as float32: `perfcast models prune` makes trees smaller"
        )
    for name in names:
        _round(smaller, name)
    return smaller.to_bytes()


def _weights(graph: Graph) -> list[str]:
    """The constants of some size that are the second factor of matrix products, and nothing else."""
    factors = {node.input[1] for node in graph.nodes if _multiplies(node)}
    found = []
    for name in sorted(factors):
        weights = graph.constant(name)
        large = weights.ndim == 2 and weights.size >= LEAST_WEIGHTS
        if large and all(_multiplies(node) and node.input[1] == name for node in graph.users(name)):
            found.append(name)
    return found


def _multiplies(node: onnx.NodeProto) -> bool:
    """Whether it is a matrix product whose second factor has an output a column."""
    return node.op_type == "MatMul" or (node.op_type == "Gemm" and not any(a.name == "transB" for a in node.attribute))


def _round(graph: Graph, name: str) -> None:
    weights = graph.constant(name)
    scale = _scale(weights)
    whole, factor, cast = f"{name}_int8", f"{name}_scale", f"{name}_cast"
    parts = {whole: np.rint(weights / scale).astype(np.int8), factor: scale.astype(weights.dtype)}
    kind = helper.np_dtype_to_tensor_dtype(weights.dtype)
    nodes = [helper.make_node("Cast", [whole], [cast], to=kind), helper.make_node("Mul", [cast, factor], [name])]
    graph.compute(name, parts, nodes)


def _scale(weights: Array) -> Array:
    """One for each column, [1, columns]; never 0."""
    largest = np.abs(weights).max(axis=0, keepdims=True)
    return np.asarray(np.where(largest > 0, largest, 1.0) / _MOST)
