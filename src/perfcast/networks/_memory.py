"""How much memory a network needs at least."""

from collections import Counter

from perfcast.networks._graph import FLOAT_BYTES, Graph, Node

_IN_PLACE = frozenset({
    "Cast", "Clip", "Dropout", "Flatten", "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Relu",
    "Reshape", "Sigmoid", "Squeeze", "Tanh", "Unsqueeze",
})  # fmt: skip
"""What can overwrite its input, or is the same memory under another name."""


def memory_bytes(graph: Graph, batch: int) -> int:
    """Weights, and the largest sum of activations that are needed at one time, in float32.

    A lower bound: nodes run in the graph's order, a tensor's memory is free once its last reader is done, and what can
    overwrite its input does. Work space, alignment, weights in another layout and the runtime itself come on top.

    Args:
        graph: Of the network.
        batch: Images a call, with which activations grow.
    """
    return FLOAT_BYTES * (graph.parameters + batch * _peak(graph))


def _peak(graph: Graph) -> int:
    """The most numbers that live at one time, at a batch of one."""
    left = Counter(name for node in graph.nodes for name in dict.fromkeys(graph.activations(node)))
    left.update(graph.outputs)
    live = sum(graph.elements(name) for name in graph.inputs)
    peak = live
    for node in graph.nodes:
        done = [name for name in dict.fromkeys(graph.activations(node)) if left[name] == 1]
        made = sum(graph.elements(name) for name in node.outputs if name)
        freed = sum(map(graph.elements, done))
        peak = max(peak, live + made - (min(freed, made) if _overwrites(node) else 0))
        live += made - freed
        left.subtract(dict.fromkeys(graph.activations(node), 1))
    return peak


def _overwrites(node: Node) -> bool:
    return node.operator in _IN_PLACE and len(node.outputs) == 1
