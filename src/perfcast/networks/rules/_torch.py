"""What PyTorch does with a network, module by module, in inference.

Each operator is a kernel of its own. What only names memory anew (a reshape, a slice, a permutation) costs nothing by
itself; each tensor carries how it lies in memory, and a reader that doesn't take it so has it copied first:

- arithmetic, activations, concatenation and means read anything; arithmetic and activations keep the order of memory
  of their first input;
- convolutions, pools, batch normalisation, resizing and padding of images read channels first or last, without gaps,
  and write in the order they read;
- a reshape takes a slice as it is, but has what is permuted copied; linear layers take rows of any distance;
- products of two activations, and normalisation and softmax over the last dimension, read what is contiguous; but
  `scaled_dot_product_attention` reads anything, and writes heads where they are wanted, behind tokens.

What has one element isn't counted among dimensions, but images are: at a batch of one a slice of channels is
contiguous, and PyTorch spares the copy that is counted here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from perfcast.networks._call import Call, Unmodelled
from perfcast.networks._graph import FLOAT_BYTES, Graph, Node, Shape
from perfcast.networks.rules._compositions import compose, compose_approximations, compose_attention
from perfcast.networks.rules._convolution import convolution_features, convolution_flops, convolution_sides
from perfcast.networks.rules._kernels import VIEWS, Kernel, call, calls_of, copied
from perfcast.networks.rules._rewriting import Rewriting
from perfcast.networks.rules._shapes import image, permutation

CHANNELS_LAST, HEADS_BEHIND_TOKENS = (0, 2, 3, 1), (0, 2, 1, 3)
_SLICES = frozenset({"Split", "Slice"})
_FLEXIBLE = frozenset({
    "Relu", "Clip", "LeakyRelu", "PRelu", "Sigmoid", "Tanh", "Silu", "HardSigmoid", "HardSwish", "Gelu", "Add", "Sub",
    "Mul", "Div", "Sum",
})  # fmt: skip
_IMAGES = frozenset({"Conv", "MaxPool", "AveragePool", "BatchNormalization", "Resize", "Upsample", "Pad"})
_CONTIGUOUS = frozenset({"LayerNormalization", "MatMul", "Softmax", "Gemm"})


@dataclass(frozen=True, slots=True)
class Memory:
    """How a tensor lies in memory.

    Attributes:
        order: Its dimensions from the slowest to the fastest; empty where that is their own order.
        gaps: Whether it is a part of a larger one.
    """

    order: tuple[int, ...] = ()
    gaps: bool = False


_PLAIN = Memory()


def torch_calls(graph: Graph) -> list[Call | Unmodelled]:
    """All kernels that PyTorch starts, in order."""
    rewriting = Rewriting(graph)
    compose(rewriting)
    compose_approximations(rewriting)
    compose_attention(rewriting)
    return _Eager(rewriting).calls()


class _Eager:
    """Goes through the nodes in order, and knows how each tensor made so far lies in memory."""

    def __init__(self, rewriting: Rewriting) -> None:
        self._rewriting = rewriting
        self._graph = rewriting.graph
        self._memory: dict[str, Memory] = {}

    def calls(self) -> list[Call | Unmodelled]:
        found: list[Call | Unmodelled] = []
        for node in self._rewriting.nodes:
            if node.operator in VIEWS:
                found += self._reshape(node)
            elif self._is_view(node):
                self._look(node)
            else:
                found += [copy for name in self._graph.activations(node) for copy in self._copies(node, name)]
                kernels = _convolution if node.operator == "Conv" else calls_of
                found += kernels(self._rewriting, node)
                self._write(node)
        return found

    def _is_view(self, node: Node) -> bool:
        """Slices and permutations, and one row taken out; rows by their numbers are copied."""
        taken = node.operator == "Gather" and len(self._shape(node.outputs[0])) < len(self._shape(node.inputs[0]))
        return taken or node.operator in {*_SLICES, "Transpose", "Expand"}

    def _look(self, node: Node) -> None:
        """A view is as its input lies, but for what it leaves out or puts in another order."""
        shape, before = self._shape(node.inputs[0]), self._lies(node.inputs[0])
        for name in node.outputs:
            if node.operator == "Transpose":
                axes = node.attributes.get("perm", tuple(reversed(range(len(shape)))))
                assert isinstance(axes, tuple)
                order = tuple(axes.index(axis) for axis in before.order or range(len(shape)))
                self._memory[name] = Memory(_simplified(order, self._shape(name)), before.gaps)
            else:
                same_rank = len(self._shape(name)) == len(shape)
                gaps = self._graph.elements(name) != self._graph.elements(node.inputs[0])
                self._memory[name] = Memory(before.order if same_rank else (), gaps or before.gaps)

    def _reshape(self, node: Node) -> list[Call | Unmodelled]:
        """Costs nothing, or a copy of what was permuted; dimensions of one element may come and go."""
        source, made = node.inputs[0], node.outputs[0]
        before, shape, result = self._lies(source), self._shape(source), self._shape(made)
        if not before.order:
            self._memory[made] = before
            return []
        renamed = dict(zip(_long(shape), _long(result), strict=False))
        if [shape[axis] for axis in renamed] != [size for size in result if size != 1]:
            return self._copy(node, source)
        short = [axis for axis, size in enumerate(result) if size == 1]
        order = (*short, *(renamed[axis] for axis in before.order if axis in renamed))
        self._memory[made] = Memory(order, before.gaps)
        return []

    def _copies(self, node: Node, tensor: str) -> list[Call | Unmodelled]:
        """The copy that a node has made of what it reads, if it needs one."""
        memory = self._lies(tensor)
        if node.operator in _IMAGES:
            taken = memory.order in {(), CHANNELS_LAST} and not memory.gaps
        elif node.operator in _CONTIGUOUS and "attention" not in node.attributes:
            taken = not memory.order and (not memory.gaps or node.operator == "Gemm")
        else:
            taken = True
        return [] if taken else self._copy(node, tensor)

    def _copy(self, node: Node, tensor: str) -> list[Call | Unmodelled]:
        shape, memory = self._shape(tensor), self._lies(tensor)
        stored = tuple(shape[axis] for axis in memory.order)
        moved = permutation(stored, tuple(memory.order.index(axis) for axis in range(len(shape)))) if stored else None
        kernel = copied(*(moved or ("slice", image(shape))), self._graph.elements(tensor))
        self._memory[tensor] = _PLAIN
        return [_moving(self._rewriting, node, tensor, "copy", kernel)]

    def _write(self, node: Node) -> None:
        """What a kernel makes is contiguous, but for those that keep an order of memory."""
        first = self._graph.activations(node)[:1]
        order = self._lies(first[0]).order if first else ()
        kept = node.operator in _FLEXIBLE or (node.operator in _IMAGES and order == CHANNELS_LAST)
        if node.attributes.get("attention") == "values":
            order, kept = HEADS_BEHIND_TOKENS, True
        for name in node.outputs:
            self._memory[name] = Memory(_simplified(order, self._shape(name))) if kept and order else _PLAIN

    def _lies(self, tensor: str) -> Memory:
        return self._memory.get(tensor, _PLAIN)

    def _shape(self, tensor: str) -> Shape:
        return self._graph.shapes[tensor]


def _simplified(order: Sequence[int], shape: Shape) -> tuple[int, ...]:
    """Empty where dimensions of more than one element stand in their own order."""
    if len(order) != len(shape):
        return ()
    long = [axis for axis in order if shape[axis] != 1]
    return tuple(order) if long != sorted(long) else ()


def _long(shape: Shape) -> list[int]:
    """The dimensions of more than one element."""
    return [axis for axis, size in enumerate(shape) if size != 1]


def _convolution(rewriting: Rewriting, node: Node) -> Sequence[Call | Unmodelled]:
    """Zeros that aren't as many on both sides are added by a kernel of their own."""
    graph = rewriting.graph
    sides, features = convolution_sides(graph, node), convolution_features(graph, node, pad_apart=True)
    if sides is None or isinstance(features, str) or not any(side.uneven for side in sides):
        return calls_of(rewriting, node)
    shape = image(graph.shapes[node.inputs[0]])
    size = {name: side.padded.size for name, side in zip(("output_height", "output_width"), sides, strict=True)}
    padding = Kernel("pad", {"operator": "pad", **shape, **size})
    before = _moving(rewriting, node, node.inputs[0], "padding", padding)
    return before, call(rewriting, node, Kernel("convolution", features, convolution_flops(graph, node)))


def _moving(rewriting: Rewriting, node: Node, tensor: str, what: str, kernel: Kernel) -> Call:
    """A call that moves what a node reads, before it."""
    shape, moved = rewriting.shape(tensor), 2 * FLOAT_BYTES * rewriting.graph.elements(tensor)
    name = f"{node.name}: {what}"
    return Call(name, kernel.operator, kernel.features, (node.name,), shape, shape, kernel.flops, moved)
