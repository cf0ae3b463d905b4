"""What ONNX Runtime does with a network on a CPU, with all its optimisations.

The rows of convolutions were measured one at a time, from rows to rows. So a convolution in blocks contains bringing
its input into blocks and its output back, and what a network spares of that is taken off again (`sign` -1).

What follows a convolution or a matrix product and is done by its kernel: sums and ReLU cost next to nothing there and
aren't counted; other activations take about as long as they do alone, and are counted so.
"""

from collections import Counter

from perfcast.networks._call import Call, Unmodelled
from perfcast.networks._graph import FLOAT_BYTES, Graph, Node
from perfcast.networks.rules._blocks import Blocks, lay_out
from perfcast.networks.rules._compositions import compose
from perfcast.networks.rules._fusions import fuse
from perfcast.networks.rules._kernels import Kernel, call, calls_of, kernel_of
from perfcast.networks.rules._rewriting import Rewriting
from perfcast.networks.rules._shapes import image


def onnxruntime_calls(graph: Graph, block: int) -> list[Call | Unmodelled]:
    """All kernels that ONNX Runtime starts, in order, then what stands between them in the wrong layout."""
    rewriting = Rewriting(graph)
    compose(rewriting)
    fuse(rewriting)
    blocks = lay_out(rewriting, block)
    found: list[Call | Unmodelled] = []
    for node in rewriting.nodes:
        found += [] if node.name in blocks.absorbed else _calls(rewriting, node, blocks)
    return [*found, *_reorders(rewriting, blocks)]


def _calls(rewriting: Rewriting, node: Node, blocks: Blocks) -> tuple[Call | Unmodelled, ...]:
    if node.operator == "BatchNormalization" and node.name in blocks.nodes:
        return _as_convolution(rewriting, node), *_activation(rewriting, node)
    return *calls_of(rewriting, node), *_activation(rewriting, node)


def _activation(rewriting: Rewriting, node: Node) -> tuple[Call | Unmodelled, ...]:
    """What the activation adds that a kernel does at its end, on values that are in the cache."""
    operator, made = str(node.attributes.get("activation", "Relu")), node.outputs[0]
    if operator == "Relu":
        return ()
    called = rewriting.covered(node)[-1]
    kernel = kernel_of(rewriting.graph, Node(called, operator, (made,), (made,)))
    if not isinstance(kernel, Kernel):
        return (Unmodelled(called, operator, kernel or "", 0),)
    shape = rewriting.shape(made)
    return (Call(called, kernel.operator, kernel.features, (called,), shape, shape, kernel.flops, inside=True),)


def _as_convolution(rewriting: Rewriting, node: Node) -> Call:
    """A batch normalisation in blocks is run as a convolution of each channel by itself."""
    shape = rewriting.shape(node.inputs[0])
    row = {
        "batch_size": shape[0], "input_channels": shape[1], "input_height": shape[2], "input_width": shape[3],
        "output_channels": shape[1], "kernel_size": 1, "stride": 1, "padding": 0, "groups": shape[1], "dilation": 1,
    }  # fmt: skip
    return call(rewriting, node, Kernel("convolution", row, 2 * rewriting.graph.elements(node.inputs[0])))


def _reorders(rewriting: Rewriting, blocks: Blocks) -> list[Call]:
    """What is brought into blocks and out of them, less what the convolutions' own rows contain."""
    measured_in: Counter[str] = Counter()
    measured_out: Counter[str] = Counter()
    for node in rewriting.nodes:
        if node.name in blocks.nodes and node.operator in {"Conv", "BatchNormalization"}:
            measured_in.update(node.inputs[:1] if node.name not in blocks.rows else ())
            measured_out.update(node.outputs)
    needed_in = Counter(sorted(blocks.brought_in))
    needed_out = Counter(blocks.brought_out)
    calls = []
    for operator, needed, measured in (
        ("reorder_in", needed_in, measured_in), ("reorder_out", needed_out, measured_out),
    ):  # fmt: skip
        for tensor in dict.fromkeys((*needed, *measured)):
            difference = needed[tensor] - measured[tensor]
            calls += [_reorder(rewriting, operator, tensor, 1 if difference > 0 else -1)] * abs(difference)
    return calls


def _reorder(rewriting: Rewriting, operator: str, tensor: str, sign: int) -> Call:
    shape, elements = rewriting.shape(tensor), rewriting.graph.elements(tensor)
    features: dict[str, float | str] = {"operator": operator, **image(shape)}
    maker = rewriting.maker(tensor)
    covered = (maker.name if maker else tensor,)
    moved = 2 * FLOAT_BYTES * elements
    return Call(f"{covered[0]}: {operator}", operator, features, covered, shape, shape, 0, moved, 0, sign)
