"""Where ONNX Runtime keeps channels in blocks (layout NCHWc), and where it brings them there and back.

Read in its optimised graphs (1.32), against which `tests/unit/networks` holds it. A tensor is in blocks if a node that
works in blocks makes it. Convolutions and pools choose blocks by their channels alone; all others only if all that they
read is in blocks already. What reads rows of what is in blocks has it brought back once, however many read it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from perfcast.networks._graph import Node
from perfcast.networks.rules._compositions import other
from perfcast.networks.rules._convolution import groups_of
from perfcast.networks.rules._fusions import absorb
from perfcast.networks.rules._rewriting import Rewriting

_TO_CHANNELS_LAST, _TO_CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
_FUSED = frozenset({"Relu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish"})
"""Activations in blocks that become part of a convolution, others than those that any convolution takes."""
_APART = frozenset({"Silu", "Gelu"})
"""Activations in blocks that stay kernels of their own."""


@dataclass(slots=True)
class Blocks:
    """Who works in blocks.

    Attributes:
        nodes: The names of nodes that do.
        rows: Convolutions among them that read rows, since they have few channels.
        tensors: What is made in blocks, with its channels.
        brought_in: Tensors in rows that are brought into blocks, each once.
        brought_out: Tensors in blocks that are brought back, and how often.
        absorbed: Names of permutations that are part of bringing tensors in or out.
    """

    nodes: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    tensors: dict[str, int] = field(default_factory=dict)
    brought_in: set[str] = field(default_factory=set)
    brought_out: dict[str, int] = field(default_factory=dict)
    absorbed: set[str] = field(default_factory=set)


def lay_out(rewriting: Rewriting, block: int) -> Blocks:
    """Choose blocks for each node, and merge what only blocks allow: sums, and what follows them.

    Args:
        rewriting: A network after all other fusions.
        block: Channels in a block: 16 with AVX-512, else 8.
    """
    layout = _Layout(rewriting, block)
    for node in rewriting.each(*_RULES):
        _RULES[node.operator](layout, node)
    layout.bring()
    return layout.blocks


class _Layout:
    """What is known of tensors up to the node that is looked at."""

    def __init__(self, rewriting: Rewriting, block: int) -> None:
        self.blocks = Blocks()
        self._rewriting = rewriting
        self._block = block
        self._single: dict[str, bool] = {}

    def convolution(self, node: Node) -> None:
        shape = self._rewriting.shape(node.inputs[0])
        weights = self._rewriting.shape(node.inputs[1])
        if len(shape) != 4 or len(weights) != 4 or not self._rewriting.constant(node.inputs[1]):
            return
        groups, inputs, filters = groups_of(node), weights[1], weights[0] // groups_of(node)
        if groups == 1:
            few = inputs < self._block
            fits = few or inputs % 4 == 0
        else:
            aligned = inputs % self._block == 0 and filters % self._block == 0
            few, fits = False, weights[0] % 4 == 0 and (inputs == filters == 1 or aligned)
        if fits:
            self._work(node, weights[0])
            if few:
                self.blocks.rows.add(node.name)

    def normalization(self, node: Node) -> None:
        """Of what is in blocks it is a convolution of each channel by itself."""
        channels = self.blocks.tensors.get(node.inputs[0])
        if channels is not None and len(node.outputs) == 1:
            self._work(node, channels)

    def pool(self, node: Node) -> None:
        shape = self._rewriting.shape(node.inputs[0])
        if len(shape) == 4 and len(node.outputs) == 1 and shape[1] % self._block == 0:
            self._work(node, shape[1])

    def global_pool(self, node: Node) -> None:
        source = node.inputs[0]
        if source in self.blocks.tensors or source in self._rewriting.graph.inputs:
            self.pool(node)

    def concatenation(self, node: Node) -> None:
        channels = [self.blocks.tensors.get(name, 1) for name in node.inputs]
        if node.attributes.get("axis") in {1, -3} and not any(count % self._block for count in channels):
            self._work(node, sum(channels))

    def resize(self, node: Node) -> None:
        shape, result = self._rewriting.shape(node.inputs[0]), self._rewriting.shape(node.outputs[0])
        channels = self.blocks.tensors.get(node.inputs[0])
        images = len(shape) == len(result) == 4 and shape[:2] == result[:2]
        whole = images and not any(large % small for small, large in zip(shape[2:], result[2:], strict=True))
        if channels is not None and whole and _interpolates(node):
            self._work(node, channels)

    def binary(self, node: Node) -> None:
        """Arithmetic on tensors of one shape; a sum becomes part of a convolution that nothing else reads."""
        known = [self.blocks.tensors.get(name) for name in node.inputs]
        shapes = {self._rewriting.shape(name) for name in node.inputs}
        if None in known or len(shapes) != 1 or known[0] is None:
            return
        if node.operator in {"Add", "Sum"} and len(node.inputs) == 2:
            for tensor in node.inputs:
                maker = self._convolution(tensor)
                if maker and "sum" not in maker.attributes:
                    self._absorb(maker, node, other(node, tensor), {"sum": 1})
                    return
        self._work(node, known[0])

    def activation(self, node: Node) -> None:
        source = node.inputs[0]
        channels = self.blocks.tensors.get(source)
        if channels is None:
            return
        maker = self._convolution(source) if node.operator in _FUSED else None
        if maker:
            self._absorb(maker, node, "", {"activation": node.operator})
        else:
            self._work(node, channels)

    def transposition(self, node: Node) -> None:
        """Channels last are brought out of blocks so at once."""
        if node.attributes.get("perm") == _TO_CHANNELS_LAST and node.inputs[0] in self.blocks.tensors:
            self.blocks.absorbed.add(node.name)

    def bring(self) -> None:
        """Find what is brought in and out, now that all nodes are known."""
        blocks = self.blocks
        for node in self._rewriting.nodes:
            if node.name in blocks.nodes and node.name not in blocks.rows:
                activations = self._rewriting.graph.activations(node)
                blocks.brought_in |= {name for name in activations if name not in blocks.tensors}
        for tensor in blocks.tensors:
            count = self._brought_out(tensor)
            if count:
                blocks.brought_out[tensor] = count
        for tensor in blocks.brought_in:
            maker = self._rewriting.maker(tensor, "Transpose")
            if maker and maker.attributes.get("perm") == _TO_CHANNELS_FIRST and self._only_blocks_read(tensor):
                blocks.absorbed.add(maker.name)

    def _brought_out(self, tensor: str) -> int:
        readers = self._rewriting.readers(tensor)
        last = sum(node.name in self.blocks.absorbed for node in readers)
        plain = tensor in self._rewriting.graph.outputs or not all(
            self._reads_blocks(node, tensor) or node.name in self.blocks.absorbed for node in readers
        )
        return last + plain

    def _reads_blocks(self, node: Node, tensor: str) -> bool:
        rows = node.name in self.blocks.rows and node.inputs[0] == tensor
        return node.name in self.blocks.nodes and not rows

    def _only_blocks_read(self, tensor: str) -> bool:
        given = tensor in self._rewriting.graph.outputs
        return not given and all(self._reads_blocks(node, tensor) for node in self._rewriting.readers(tensor))

    def _convolution(self, tensor: str) -> Node | None:
        """The convolution in blocks that makes a tensor, if only one node reads that and it has no activation yet."""
        maker = self._rewriting.maker(tensor, "Conv", "BatchNormalization")
        apart = maker and maker.name in self.blocks.nodes and self._rewriting.uses(tensor) == 1
        return maker if maker and apart and "activation" not in maker.attributes else None

    def _absorb(self, maker: Node, node: Node, also_read: str, attributes: Mapping[str, str | int]) -> None:
        channels = self.blocks.tensors.pop(maker.outputs[0])
        absorb(self._rewriting, maker, node, also_read, **attributes)
        self.blocks.tensors[node.outputs[0]] = channels

    def _work(self, node: Node, channels: int) -> None:
        self.blocks.nodes.add(node.name)
        self.blocks.tensors[node.outputs[0]] = channels


def _interpolates(node: Node) -> bool:
    """Whether a change of size is of a kind that has a kernel in blocks."""
    mode, asked = node.attributes.get("mode", "nearest"), node.attributes.get("coordinate_transformation_mode")
    if node.operator == "Upsample":
        return mode == "nearest"
    if mode == "nearest":
        return asked == "asymmetric" and node.attributes.get("nearest_mode") == "floor"
    return mode == "linear" and asked in {None, "half_pixel", "asymmetric", "align_corners"}


_RULES: Mapping[str, Callable[[_Layout, Node], None]] = {
    "Conv": _Layout.convolution,
    "BatchNormalization": _Layout.normalization,
    "MaxPool": _Layout.pool,
    "AveragePool": _Layout.pool,
    "GlobalAveragePool": _Layout.global_pool,
    "GlobalMaxPool": _Layout.global_pool,
    "Concat": _Layout.concatenation,
    "Resize": _Layout.resize,
    "Upsample": _Layout.resize,
    "Add": _Layout.binary,
    "Sum": _Layout.binary,
    "Mul": _Layout.binary,
    "Transpose": _Layout.transposition,
} | dict.fromkeys(_FUSED | _APART, _Layout.activation)
