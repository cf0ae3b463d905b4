"""Narrower layers: the hidden neurons that matter least are left out, and the rest made up for them.

A neuron's weight is how much its output varies over the rows, times the norm of what the next layer makes of it. After
the cut the next layer's matrix and bias are fitted anew, by least squares, to what the layer gave before (channel
pruning with reconstruction: He, Zhang and Sun 2017, "Channel Pruning for Accelerating Very Deep Neural Networks").
"""

import numpy as np
import onnx

from perfcast.training.variants._graph import Array, Graph
from perfcast.workloads import Rows

FEWEST = 8
"""A layer of fewer neurons is left alone."""
_ALONE = ("Sigmoid", "Relu", "Tanh", "Identity", "LeakyRelu", "Elu", "Softplus", "HardSigmoid", "Gelu", "Erf")
_TOGETHER = ("Add", "Sub", "Mul", "Div")


def prune_neurons(graph: Graph, keep: float, features: Rows) -> int:
    """Narrow every hidden layer that stands between two matrix products and nothing else to this share of its neurons.

    Returns:
        How many neurons are gone.
    """
    gone = 0
    for node in graph.nodes:
        layer = _layer(graph, node) if node.op_type == "MatMul" else None
        if layer is not None:
            gone += _narrow(graph, *layer, keep, features)
    return gone


def _narrow(graph: Graph, columns: list[str], out: onnx.NodeProto, end: str, keep: float, features: Rows) -> int:
    """Narrow a layer whose neurons are the last dimension of some constants, and that leads to a product and a bias."""
    matrix, bias = graph.constant(out.input[1]), graph.constant(end)
    hidden = graph.values(out.input[0], features).astype(np.float64)
    weight = hidden.std(axis=0) * np.linalg.norm(matrix, axis=1)
    kept = np.sort(np.argsort(weight)[-max(1, round(keep * len(weight))) :])
    known = np.concatenate([hidden[:, kept], np.ones((len(hidden), 1))], axis=1)
    fitted, *_ = np.linalg.lstsq(known, hidden @ matrix.astype(np.float64), rcond=None)
    for name in columns:
        graph.replace(name, graph.constant(name)[..., kept])
    graph.replace(out.input[1], fitted[:-1].astype(matrix.dtype))
    graph.replace(end, (bias + fitted[-1]).astype(bias.dtype))
    return len(weight) - len(kept)


def _layer(graph: Graph, first: onnx.NodeProto) -> tuple[list[str], onnx.NodeProto, str] | None:
    """The layer that begins with this product, as `_narrow` takes it; None where others need its neurons so."""
    into = graph.constant(first.input[1])
    if into.ndim != 2 or into.shape[1] < FEWEST:
        return None
    width, inside, columns, out = into.shape[1], {first.output[0]}, [first.input[1]], list[onnx.NodeProto]()
    for node in graph.nodes:
        reached = [name for name in node.input if name in inside]
        if not reached:
            continue
        if node.op_type == "MatMul" and node.input[0] in inside and graph.constant(node.input[1]).size:
            out.append(node)
        elif node.op_type in (*_ALONE, *_TOGETHER):
            sizes = {name: _last(graph.constant(name)) for name in node.input if name not in inside}
            if any(size not in (1, width) for size in sizes.values()):
                return None
            columns += [name for name, size in sizes.items() if size == width]
            inside.update(node.output)
        else:
            return None
    bias = _bias(graph, out[0]) if len(out) == 1 else None
    if bias is None or any(len(graph.users(name)) != 1 for name in (*columns, out[0].input[1], bias)):
        return None
    return columns, out[0], bias


def _last(constant: Array) -> int:
    """A constant's last dimension, 1 for a single number; 0 where there is none."""
    return 1 if constant.size == 1 else int(constant.shape[-1])


def _bias(graph: Graph, product: onnx.NodeProto) -> str | None:
    """The constant that is added to a product, where that is all that becomes of it."""
    users = graph.users(product.output[0])
    if len(users) != 1 or users[0].op_type != "Add":
        return None
    (other,) = [name for name in users[0].input if name != product.output[0]] or [""]
    columns = graph.constant(product.input[1]).shape[1]
    return other if graph.constant(other).shape in ((columns,), (1, columns)) else None
