"""What ONNX Runtime fuses before it chooses layouts, with all its optimisations, on CPUs.

Read in its optimised graphs (1.32), against which `tests/unit/networks` holds it.
"""

from collections.abc import Callable, Mapping

from perfcast.networks._graph import Node
from perfcast.networks.rules._compositions import by_scalar, other
from perfcast.networks.rules._rewriting import Rewriting

_INTO_CONVOLUTION = ("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Clip", "HardSigmoid")
_INTO_PRODUCT = (
    "Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSigmoid", "Elu", "Selu", "Softplus", "Softsign", "ThresholdedRelu",
)  # fmt: skip
_ALIKE = (
    "AveragePool", "BatchNormalization", "Conv", "GlobalAveragePool", "HardSigmoid", "MaxPool", "Relu", "Sigmoid",
    "Tanh", "Transpose",
)  # fmt: skip
"""Operators of which a graph keeps all that they compute, so that two can be told to be the same."""


def fuse(rewriting: Rewriting) -> None:
    """Merge what becomes part of convolutions, matrix products and pools."""
    _unite(rewriting)
    for operator, rule in _RULES.items():
        for node in rewriting.each(operator):
            rule(rewriting, node)
    for node in rewriting.each("Conv"):
        _activation(rewriting, node, _INTO_CONVOLUTION)


def absorb(rewriting: Rewriting, node: Node, following: Node, also_read: str = "", **attributes: str | int) -> Node:
    """A node also does what follows it, for which it may read another tensor."""
    inputs = (*node.inputs, also_read) if also_read else node.inputs
    into = Node(node.name, node.operator, inputs, following.outputs, {**node.attributes, **attributes})
    return rewriting.merge([node, following], into)


def _unite(rewriting: Rewriting) -> None:
    """What is computed twice is computed once."""
    seen: dict[object, Node] = {}
    for node in rewriting.each(*_ALIKE):
        key = node.operator, node.inputs, tuple(sorted(node.attributes.items()))
        kept = seen.setdefault(key, node)
        if kept is not node and len(node.outputs) == 1 and node.outputs[0] not in rewriting.graph.outputs:
            rewriting.unite(kept, node)


def _split(rewriting: Rewriting, node: Node) -> None:
    """Slices that share out a whole tensor are one split."""
    whole, parts = rewriting.shape(node.inputs[0]), rewriting.readers(node.inputs[0])
    shapes = [rewriting.shape(part.outputs[0]) for part in parts]
    if len(parts) < 2 or any(part.operator != "Slice" or len(part.outputs) != 1 for part in parts):
        return
    cut = {at for shape in shapes for at, size in enumerate(shape) if size != whole[at]}
    if len(cut) == 1 and sum(shape[min(cut)] for shape in shapes) == whole[min(cut)]:
        made = tuple(part.outputs[0] for part in parts)
        rewriting.merge(parts, Node(node.name, "Split", node.inputs[:1], made, {"axis": min(cut)}), first=True)


def _convolution(rewriting: Rewriting, node: Node) -> None:
    """Batch normalisation and constants of each channel go into weights and bias."""
    while following := rewriting.follower(node, "BatchNormalization", "Mul", "Add"):
        if following.operator != "BatchNormalization" and not _constant_of_channels(rewriting, node, following):
            return
        node = absorb(rewriting, node, following)


def _constant_of_channels(rewriting: Rewriting, node: Node, following: Node) -> bool:
    constant = other(following, node.outputs[0])
    if not rewriting.constant(constant):
        return False
    result, shape = rewriting.shape(node.outputs[0]), rewriting.shape(constant)
    each = (result[1], *(1,) * (len(result) - 2))
    return shape in {each, (1, *each)} or (following.operator == "Mul" and rewriting.scalar(constant))


def _activation(rewriting: Rewriting, node: Node, operators: tuple[str, ...]) -> None:
    following = rewriting.follower(node, *operators)
    if following and following.inputs[0] == node.outputs[0]:
        absorb(rewriting, node, following, activation=following.operator)


def _pad(rewriting: Rewriting, node: Node) -> None:
    """A frame of zeros goes into the padding of a convolution or an average; where it is uneven, more is behind."""
    following = rewriting.follower(node, "Conv", "AveragePool")
    shape, result = rewriting.shape(node.inputs[0]), rewriting.shape(node.outputs[0])
    zeros = node.attributes.get("mode", "constant") == "constant" and shape[:2] == result[:2]
    if following is None or not zeros or following.inputs[0] != node.outputs[0]:
        return
    more = [large - small for large, small in zip(result[2:], shape[2:], strict=True)]
    old = following.attributes.get("pads", (0,) * (2 * len(more)))
    assert isinstance(old, tuple)
    new = [size // 2 for size in more] + [size - size // 2 for size in more]
    pads = tuple(first + second for first, second in zip(old, new, strict=True))
    inputs = (node.inputs[0], *following.inputs[1:])
    attributes = {**following.attributes, "pads": pads}
    into = Node(following.name, following.operator, inputs, following.outputs, attributes)
    rewriting.merge([node, following], into)


def _normalization(rewriting: Rewriting, node: Node) -> Node:
    """Batch normalisation goes into weights and bias."""
    following = rewriting.follower(node, "BatchNormalization")
    return absorb(rewriting, node, following) if following else node


def _product(rewriting: Rewriting, node: Node) -> None:
    """One of two dimensions also does an activation, and normalisation if it was written without a bias."""
    if len(rewriting.shape(node.outputs[0])) == 2:
        node = _normalization(rewriting, node) if len(node.inputs) == 2 else node
        _activation(rewriting, node, _INTO_PRODUCT)


def _scaled_product(rewriting: Rewriting, node: Node) -> None:
    """Products of two activations take constant factors, and inputs whose last two dimensions change places."""
    for tensor in node.inputs:
        before = rewriting.maker(tensor, "Mul", "Div", "Transpose")
        if before is None or rewriting.follower(before) != node:
            continue
        source = before.inputs[0] if before.operator == "Transpose" else by_scalar(rewriting, before)
        if source and (before.operator != "Transpose" or _swaps_last(before)):
            inputs = tuple(source if name == tensor else name for name in node.inputs)
            into = Node(node.name, node.operator, inputs, node.outputs, node.attributes)
            node = rewriting.merge([before, node], into)
    following = rewriting.follower(node, "Mul", "Div")
    if following and by_scalar(rewriting, following):
        absorb(rewriting, node, following)


def _swaps_last(transpose: Node) -> bool:
    axes = transpose.attributes.get("perm", ())
    assert isinstance(axes, tuple)
    count = len(axes)
    return axes == (*range(count - 2), count - 1, count - 2)


_RULES: Mapping[str, Callable[[Rewriting, Node], object]] = {
    "Slice": _split,
    "Pad": _pad,
    "Conv": _convolution,
    "ConvTranspose": _normalization,
    "Gemm": _product,
    "MatMul": _scaled_product,
}
