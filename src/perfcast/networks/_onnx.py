"""A graph from an ONNX file."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from perfcast.errors import MissingDependency
from perfcast.networks._graph import Attribute, Graph, Node, Shape

if TYPE_CHECKING:
    from perfcast.networks.reading import Folded, Kept

_SHAPING = frozenset(
    {"Clip", "Expand", "Pad", "Reshape", "Resize", "Slice", "Split", "Squeeze", "Tile", "TopK", "Unsqueeze", "Upsample"}
    | {
        f"Reduce{kind}"
        for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")
    }
)
"""Operators that read one tensor; their other inputs say how."""


_LONGEST = 64
"""Longer attributes say nothing of how long an operator takes."""


def read_onnx(source: Path | bytes, *, name: str = "", input_shape: Shape | None = None) -> Graph:
    """Read a network from an ONNX file, weights' data apart.

    What doesn't depend on the input is folded away; so are `Identity` and `Dropout`. An open batch is taken for one; a
    graph that was made for more images is divided to one. Weights may stand in other files, which needn't be there.

    Args:
        source: The file, or what stands in it.
        name: The network's; else the file's.
        input_shape: Of its input, batch first; needed where the file leaves other sizes than the batch open.

    Raises:
        InvalidInput: It isn't an ONNX file of a network whose shapes can be known; the field is `network`, or
            `input_shape` where that would help.
        MissingDependency: The onnx package isn't installed.
    """
    try:
        from perfcast.networks.reading import fold, input_types, load
    except ImportError:
        raise MissingDependency("reading ONNX files needs the onnx package: pip install 'perfcast[train]'") from None
    file = load(source)
    inputs, batch = input_types(file, input_shape)
    folded = fold(file, inputs)
    stem = source.stem if isinstance(source, Path) else file.name
    return _graph(name or stem or "network", tuple(inputs), folded, batch)


def _graph(name: str, inputs: tuple[str, ...], folded: "Folded", batch: int) -> Graph:
    from perfcast.networks.reading import name_nodes

    names = name_nodes([item.node for item in folded.nodes])
    nodes = tuple(_node(called, item, folded) for called, item in zip(names, folded.nodes, strict=True))
    tensors = dict.fromkeys((*inputs, *folded.outputs, *(one for node in nodes for one in node.inputs + node.outputs)))
    whole = {tensor: folded.shapes.of(tensor) for tensor in tensors if tensor}
    weights = frozenset(whole) & folded.constants
    shapes = {tensor: shape if tensor in weights else _divided(shape, batch, tensor) for tensor, shape in whole.items()}
    return Graph(name, inputs, folded.outputs, nodes, shapes, weights)


def _node(name: str, item: "Kept", folded: "Folded") -> Node:
    inputs, attributes = item.inputs, _attributes(item)
    if item.node.op_type == "Clip":
        attributes = {**_bounds(inputs, folded), **attributes}
    if item.node.op_type in _SHAPING and folded.constants.issuperset(filter(None, inputs[1:])):
        inputs = inputs[:1]
    while inputs and not inputs[-1]:
        inputs = inputs[:-1]
    outputs = tuple(filter(None, item.node.output))
    return Node(name, item.node.op_type, inputs, outputs, attributes)


def _bounds(inputs: tuple[str, ...], folded: "Folded") -> Mapping[str, Attribute]:
    """The bounds of `Clip` as attributes, as ONNX had them before they became inputs."""
    values = folded.shapes.values
    given = {bound: values[name] for bound, name in zip(("min", "max"), inputs[1:], strict=False) if name in values}
    return {
        bound: float(value.flat[0]) for bound, value in given.items() if value.size == 1 and value.dtype.kind in "iuf"
    }


def _attributes(item: "Kept") -> Mapping[str, Attribute]:
    from onnx import AttributeProto as Kind

    found: dict[str, Attribute] = {}
    for given in item.node.attribute:
        if given.type == Kind.INT:
            found[given.name] = given.i
        elif given.type == Kind.FLOAT and math.isfinite(given.f):
            found[given.name] = given.f
        elif given.type == Kind.STRING:
            found[given.name] = given.s[:_LONGEST].decode(errors="replace")
        elif given.type == Kind.INTS and len(given.ints) <= _LONGEST:
            found[given.name] = tuple(given.ints)
    return found


def _divided(shape: Shape, batch: int, tensor: str) -> Shape:
    """The shape at one image: the first size that the batch divides is divided."""
    from perfcast.networks.reading import wrong

    if batch == 1:
        return shape
    at = next((at for at, size in enumerate(shape) if size % batch == 0), None)
    if at is None:
        raise wrong(
            f"is made for a batch of {batch}, but its tensor '{tensor}' has a shape that the batch doesn't divide, "
            f"{list(shape)}; export it for a batch of one"
        )
    return (*shape[:at], shape[at] // batch, *shape[at + 1 :])
