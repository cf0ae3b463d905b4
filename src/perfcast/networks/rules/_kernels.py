"""What a node costs: the operator that it is, its features, its arithmetic and what it moves.

Both runtimes count a node in the same way; they differ in which nodes they run.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from perfcast.networks._call import Call, Unmodelled
from perfcast.networks._graph import FLOAT_BYTES, Graph, Node
from perfcast.networks.rules._convolution import convolution_features, convolution_flops
from perfcast.networks.rules._rewriting import Rewriting
from perfcast.networks.rules._shapes import Sizes, image, permutation, sizes

VIEWS = frozenset({"Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""They name memory anew, and cost nothing unless it has to be copied first."""
SHAPES = frozenset({"Constant", "ConstantOfShape", "Range", "Shape", "Size"})
"""They make a few numbers that only shapes depend on."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """An operator in the words of the workloads, with its features and how many operations it does."""

    operator: str
    features: Mapping[str, float | str]
    flops: int = 0


Answer: TypeAlias = Kernel | str | None
"""A kernel, why there is none, or None for what costs nothing."""


def calls_of(rewriting: Rewriting, node: Node) -> tuple[Call | Unmodelled, ...]:
    """What a node costs; empty if nothing."""
    graph = rewriting.graph
    if node.operator in VIEWS | SHAPES or not graph.activations(node):
        return ()
    answer = kernel_of(graph, node)
    if isinstance(answer, Kernel):
        return (call(rewriting, node, answer),)
    return (unmodelled(graph, node, answer),) if answer else ()


def kernel_of(graph: Graph, node: Node) -> Answer:
    """The kernel that a node is."""
    same = _SAME_SHAPE.get(node.operator)
    if same:
        return _of(graph, node, same)
    reason = _UNKNOWN.get(node.operator)
    if reason:
        return reason
    rule = _RULES.get(node.operator)
    return rule(graph, node) if rule else "no measured operator is like it"


def call(rewriting: Rewriting, node: Node, kernel: Kernel) -> Call:
    """A node's kernel as a call."""
    graph = rewriting.graph
    read = dict.fromkeys(name for name in node.inputs if name)
    weights = sum(graph.elements(name) for name in read if name in graph.weights)
    first = next(iter(graph.activations(node)))
    return Call(
        node.name,
        kernel.operator,
        kernel.features,
        rewriting.covered(node),
        graph.shapes[first],
        graph.shapes[node.outputs[0]],
        flops=kernel.flops,
        moved_bytes=moved_bytes(graph, node),
        weight_bytes=FLOAT_BYTES * weights,
    )


def unmodelled(graph: Graph, node: Node, reason: str) -> Unmodelled:
    """A node whose time isn't known."""
    return Unmodelled(node.name, node.operator, reason, moved_bytes(graph, node))


def moved_bytes(graph: Graph, node: Node) -> int:
    """What a node reads and writes at least, weights apart."""
    tensors = dict.fromkeys((*graph.activations(node), *node.outputs))
    return FLOAT_BYTES * sum(graph.elements(name) for name in tensors if name)


def copied(operator: str, shape: Sizes, elements: int) -> Kernel:
    """A kernel that moves a tensor to where it is wanted."""
    return Kernel(operator, {"operator": operator, **shape}, elements)


def _of(graph: Graph, node: Node, operator: str, shape: Sizes | None = None, /, **features: int) -> Kernel:
    """A kernel of an operator on the first tensor that a node reads; features that are as usual are left out."""
    shape = shape or image(graph.shapes[graph.activations(node)[0]])
    usual = {"inputs": 1, "kernel_size": 1, "stride": 1, "padding": 0}
    usual |= {f"output_{name}": shape[name] for name in ("channels", "height", "width")}
    told = {name: value for name, value in features.items() if value != usual[name]}
    return Kernel(operator, {"operator": operator, **shape, **told}, graph.elements(node.outputs[0]))


_SAME_SHAPE: Mapping[str, str] = {
    "Relu": "relu", "Clip": "clip", "LeakyRelu": "leaky_relu", "PRelu": "leaky_relu", "Sigmoid": "sigmoid",
    "Tanh": "tanh", "Silu": "silu", "HardSigmoid": "hard_sigmoid", "HardSwish": "hard_swish", "Gelu": "gelu",
}  # fmt: skip
_UNKNOWN: Mapping[str, str] = {
    "ConvTranspose": "transposed convolutions weren't measured",
    "Einsum": "what it computes stands in its equation",
    "InstanceNormalization": "normalisation of a channel wasn't measured",
    "GroupNormalization": "normalisation of groups of channels wasn't measured",
}


def _convolution(graph: Graph, node: Node) -> Answer:
    features = convolution_features(graph, node)
    if isinstance(features, str):
        return features
    return Kernel("convolution", features, convolution_flops(graph, node))


def _batch_norm(graph: Graph, node: Node) -> Answer:
    shape = graph.shapes[node.inputs[0]]
    if len(shape) < 2:
        return "it normalises no channels"
    images, channels, *pixels = shape
    height, width = ([1, 1, *pixels])[-2:]
    return _of(graph, node, "batch_norm", sizes(images * math.prod(pixels[:-2]), channels, height, width))


def _last(operator: str) -> Callable[[Graph, Node], Answer]:
    """An operator over the last dimensions, which count as one."""

    def rule(graph: Graph, node: Node) -> Answer:
        shape = graph.shapes[node.inputs[0]]
        axis = node.attributes.get("axis", -1)
        axis = axis % len(shape) if isinstance(axis, int) else len(shape) - 1
        if operator == "softmax" and axis != len(shape) - 1:
            return "softmax over another dimension than the last wasn't measured"
        return _of(graph, node, operator, image((*shape[:axis], math.prod(shape[axis:]))))

    return rule


def _two(operator: str) -> Callable[[Graph, Node], Answer]:
    """Arithmetic on two tensors; with a smaller one, whatever it is, it is counted as `scale`."""

    def rule(graph: Graph, node: Node) -> Answer:
        result = graph.shapes[node.outputs[0]]
        whole = [name for name in node.inputs if graph.elements(name) == math.prod(result)]
        if len(whole) == len(node.inputs):
            return _of(graph, node, operator, image(result), inputs=2)
        return _of(graph, node, "scale", image(result))

    return rule


def _sum(graph: Graph, node: Node) -> Answer:
    if len(node.inputs) == 1:
        return None
    return _two("add")(graph, node) if len(node.inputs) == 2 else "a sum of more than two tensors wasn't measured"


def _concat(graph: Graph, node: Node) -> Answer:
    result, axis = graph.shapes[node.outputs[0]], node.attributes.get("axis", 1)
    assert isinstance(axis, int)
    axis %= len(result)
    count, inner = len(node.inputs), result[axis + 1 :]
    height, width = (inner[-2], inner[-1]) if len(inner) > 1 else (1, math.prod(inner))
    images = math.prod(result[:axis])
    channels = result[axis] * math.prod(inner[:-2])
    first = sizes(images, max(1, channels // count), height, width)
    return _of(graph, node, "concat", first, output_channels=channels, inputs=count)


def _pool(operator: str) -> Callable[[Graph, Node], Answer]:
    def rule(graph: Graph, node: Node) -> Answer:
        shape, result = graph.shapes[node.inputs[0]], graph.shapes[node.outputs[0]]
        kernel, strides = _numbers(node, "kernel_shape"), _numbers(node, "strides")
        if len(shape) != 4 or len(result) != 4 or len(node.outputs) > 1:
            return "pools of images alone were measured"
        side = round(math.sqrt(math.prod(kernel)))
        answer = _of(
            graph,
            node,
            operator,
            output_height=result[2],
            output_width=result[3],
            kernel_size=side,
            stride=round(math.sqrt(math.prod(strides))) if strides else 1,
            padding=max(_numbers(node, "pads"), default=0),
        )
        return Kernel(operator, answer.features, math.prod(result) * math.prod(kernel))

    return rule


def _global_pool(operator: str) -> Callable[[Graph, Node], Answer]:
    def rule(graph: Graph, node: Node) -> Answer:
        shape = graph.shapes[node.inputs[0]]
        if len(shape) != 4:
            return "pools of images alone were measured"
        side = max(shape[2:]) if operator == "max_pool" else 1
        answer = _of(graph, node, operator, output_height=1, output_width=1, kernel_size=side, stride=side)
        return Kernel(operator, answer.features, math.prod(shape))

    return rule


def _mean(graph: Graph, node: Node) -> Answer:
    shape, result = graph.shapes[node.inputs[0]], graph.shapes[node.outputs[0]]
    pooled = len(shape) == 4 and result in {shape[:2], (*shape[:2], 1, 1)} and math.prod(shape[2:]) > 1
    if pooled and _numbers(node, "axes") in {(), (2, 3), (-2, -1), (-1, -2)}:
        return _global_pool("global_average_pool")(graph, node)
    return "a mean over other dimensions than height and width wasn't measured"


def _resize(graph: Graph, node: Node) -> Answer:
    shape, result = graph.shapes[node.inputs[0]], graph.shapes[node.outputs[0]]
    mode = node.attributes.get("mode", "nearest")
    if len(shape) != 4 or len(result) != 4 or shape[:2] != result[:2] or mode not in {"nearest", "linear", "bilinear"}:
        return "only images brought to another size by their nearest or linearly were measured"
    window = 1 if mode == "nearest" else 2
    return _of(graph, node, "resize", output_height=result[2], output_width=result[3], kernel_size=window)


def _pad(graph: Graph, node: Node) -> Answer:
    shape, result = graph.shapes[node.inputs[0]], graph.shapes[node.outputs[0]]
    if shape == result:
        return None
    if len(shape) != 4 or len(result) != 4 or shape[:2] != result[:2]:
        return "only images with a larger frame were measured"
    return _of(graph, node, "pad", output_height=result[2], output_width=result[3])


def _part(graph: Graph, node: Node) -> Answer:
    """A part copied out; of several parts all together."""
    shape, results = graph.shapes[node.inputs[0]], [graph.shapes[name] for name in node.outputs if name]
    share = sum(map(math.prod, results)) / math.prod(shape)
    if len(results) == 1 and share == 1:
        return None
    if len(results) == 1 and len(results[0]) == len(shape) == 4:
        _, channels, height, width = results[0]
        return _of(graph, node, "slice", output_channels=channels, output_height=height, output_width=width)
    source = image(shape)
    cut = next((name for name in ("channels", "height", "width") if source[name] * share >= 1), "width")
    part: dict[str, int] = {f"output_{cut}": max(1, round(source[cut] * share))}
    return _of(graph, node, "slice", source, **part)


def _transpose(graph: Graph, node: Node) -> Answer:
    shape = graph.shapes[node.inputs[0]]
    axes = _numbers(node, "perm") or tuple(reversed(range(len(shape))))
    found = permutation(shape, axes)
    return copied(*found, math.prod(shape)) if found else None


def _gemm(graph: Graph, node: Node) -> Answer:
    if node.inputs[1] not in graph.weights:
        return _matmul(graph, node)
    rows, columns = graph.shapes[node.inputs[0]], graph.shapes[node.outputs[0]][-1]
    shape = image(rows if rows[0] == 1 else (1, math.prod(rows[:-1]), rows[-1]))  # what comes first are tokens
    if node.attributes.get("transA"):
        return "a product of what is transposed first wasn't measured"
    answer = _of(graph, node, "linear", shape, output_channels=columns)
    return Kernel("linear", answer.features, 2 * math.prod(graph.shapes[node.outputs[0]]) * shape["width"])


def _matmul(graph: Graph, node: Node) -> Answer:
    result, depth = graph.shapes[node.outputs[0]], graph.shapes[node.inputs[0]][-1]
    *leading, rows, columns = (1, *result)[-max(3, len(result)) :]
    shape = sizes(leading[0], math.prod(leading[1:]), rows, depth)
    answer = _of(graph, node, "matmul", shape, output_channels=columns)
    return Kernel("matmul", answer.features, 2 * math.prod(result) * depth)


def _numbers(node: Node, name: str) -> tuple[int, ...]:
    value = node.attributes.get(name, ())
    return value if isinstance(value, tuple) else ()


_RULES: Mapping[str, Callable[[Graph, Node], Answer]] = {
    "Add": _two("add"),
    "AveragePool": _pool("average_pool"),
    "BatchNormalization": _batch_norm,
    "Concat": _concat,
    "Conv": _convolution,
    "Div": _two("multiply"),
    "Gather": _part,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_pool("global_average_pool"),
    "GlobalMaxPool": _global_pool("max_pool"),
    "LayerNormalization": _last("layer_norm"),
    "MatMul": _matmul,
    "MaxPool": _pool("max_pool"),
    "Mul": _two("multiply"),
    "Pad": _pad,
    "ReduceMean": _mean,
    "Resize": _resize,
    "Slice": _part,
    "Softmax": _last("softmax"),
    "Split": _part,
    "Sub": _two("add"),
    "Sum": _sum,
    "Transpose": _transpose,
    "Upsample": _resize,
}
