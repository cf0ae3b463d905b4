"""A convolution as a row of its workload."""

import math
from dataclasses import dataclass, replace
from typing import Self

from perfcast.networks._graph import Graph, Node


@dataclass(frozen=True, slots=True)
class Side:
    """What a convolution does along its height, or along its width.

    Attributes:
        size: Of the input, in pixels; `kernel`, `stride` and `dilation` likewise.
        before, after: Zeros that are added above and below, or left and right.
    """

    size: int
    kernel: int
    stride: int
    dilation: int
    before: int
    after: int

    @property
    def uneven(self) -> bool:
        """Whether more zeros are added on one side than on the other."""
        return self.before != self.after

    @property
    def padded(self) -> Self:
        """The same with its zeros in the input already."""
        return replace(self, size=self.size + self.before + self.after, before=0, after=0)


def convolution_features(graph: Graph, node: Node, *, pad_apart: bool = False) -> dict[str, float | str] | str:
    """A row of `cnn-execution-time`, or why there is none; features that are as usual are left out.

    Args:
        graph: Whose shapes are read.
        node: The convolution.
        pad_apart: Whether uneven zeros are in its input already.
    """
    if node.inputs[1] not in graph.weights:
        return "its weights depend on the network's input"
    sides = convolution_sides(graph, node, pad_apart=pad_apart)
    if sides is None:
        return "convolutions of images alone were measured"
    high, wide = sides
    dilations = {side.dilation for side in sides if side.kernel > 1} or {1}
    if len(dilations) > 1:
        return "convolutions of two dilations weren't measured"
    shape, weights = graph.shapes[node.inputs[0]], graph.shapes[node.inputs[1]]
    square: dict[str, float | str] = {
        "batch_size": shape[0],
        "input_channels": shape[1],
        "input_height": high.size,
        "input_width": wide.size,
        "output_channels": weights[0],
        "kernel_size": high.kernel,
        "stride": high.stride,
        "padding": high.before,
        "groups": groups_of(node),
        "dilation": dilations.pop(),
    }
    usual_padding = high.before if wide.kernel == high.kernel else (wide.kernel - 1) // 2
    others = {
        "kernel_width": (wide.kernel, high.kernel),
        "stride_width": (wide.stride, high.stride),
        "padding_width": (wide.before, usual_padding),
        "padding_bottom": (high.after, high.before),
        "padding_right": (wide.after, wide.before),
    }
    return square | {name: value for name, (value, usual) in others.items() if value != usual}


def convolution_flops(graph: Graph, node: Node) -> int:
    """Its operations, a multiply-add counted as two."""
    return 2 * graph.elements(node.outputs[0]) * math.prod(graph.shapes[node.inputs[1]][1:])


def convolution_sides(graph: Graph, node: Node, *, pad_apart: bool = False) -> tuple[Side, Side] | None:
    """Along height and width; of a signal without height that is one pixel. None for more dimensions."""
    shape, weights = graph.shapes[node.inputs[0]], graph.shapes[node.inputs[1]]
    result = graph.shapes[node.outputs[0]]
    dimensions = len(shape) - 2
    strides = _numbers(node, "strides", (1,) * dimensions)
    dilations = _numbers(node, "dilations", (1,) * dimensions)
    ranks = {len(shape), len(weights), len(result), len(strides) + 2, len(dilations) + 2}
    if dimensions not in {1, 2} or len(ranks) > 1:
        return None
    sides = []
    for at in range(dimensions):
        size, kernel, stride, dilation = shape[2 + at], weights[2 + at], strides[at], dilations[at]
        total = max(0, (result[2 + at] - 1) * stride + dilation * (kernel - 1) + 1 - size)
        sides.append(Side(size, kernel, stride, dilation, *_padding(node, at, dimensions, total)))
    if pad_apart and any(side.uneven for side in sides):
        sides = [side.padded for side in sides]
    return (sides[0], sides[1]) if dimensions == 2 else (Side(1, 1, 1, 1, 0, 0), sides[0])


def groups_of(node: Node) -> int:
    """In how many groups a convolution takes its channels."""
    groups = node.attributes.get("group", 1)
    return groups if isinstance(groups, int) else 1


def _padding(node: Node, at: int, dimensions: int, total: int) -> tuple[int, int]:
    """Zeros before and after; `total` is what the shapes say."""
    match node.attributes.get("auto_pad", "NOTSET"):
        case "SAME_UPPER":
            return total // 2, total - total // 2
        case "SAME_LOWER":
            return total - total // 2, total // 2
        case "VALID":
            return 0, 0
    pads = _numbers(node, "pads", (0,) * (2 * dimensions))
    return (pads[at], pads[at + dimensions]) if len(pads) == 2 * dimensions else (total // 2, total - total // 2)


def _numbers(node: Node, name: str, usual: tuple[int, ...]) -> tuple[int, ...]:
    value = node.attributes.get(name, usual)
    return value if isinstance(value, tuple) else usual
