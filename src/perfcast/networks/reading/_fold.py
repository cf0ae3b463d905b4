"""Which nodes of a file are left when all that doesn't depend on its input has been worked out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from perfcast.networks.reading._constants import evaluate
from perfcast.networks.reading._file import Array, File, wrong
from perfcast.networks.reading._shapes import Shapes

_PASSING = frozenset({"Identity", "Dropout"})
_OF_SHAPES = frozenset({"Shape", "Size"})
_INSIDE = frozenset({"If", "Loop", "Scan", "SequenceMap"})
_RANDOM = frozenset({"Bernoulli", "Multinomial", "RandomNormal", "RandomUniform"})


@dataclass(frozen=True)
class Kept:
    """A node whose work depends on the network's input.

    Attributes:
        node: As the file has it.
        inputs: What it reads, by the names of the tensors that are left.
    """

    node: onnx.NodeProto
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Folded:
    """What is left of a file.

    Attributes:
        nodes: In order; what nobody needs is gone.
        outputs: The tensors that a caller gets.
        shapes: Of every tensor.
        constants: The tensors that don't depend on the input.
    """

    nodes: Sequence[Kept]
    outputs: tuple[str, ...]
    shapes: Shapes
    constants: frozenset[str]


def fold(file: File, inputs: Mapping[str, onnx.TypeProto]) -> Folded:
    """Work out shapes and constants.

    Args:
        file: What was read.
        inputs: The types of the network's inputs, known in every dimension.

    Raises:
        InvalidInput: A shape can't be known, or a node reads what nothing makes; the field is `network`.
    """
    walk = _Walk(file, inputs)
    for node in file.nodes:
        walk.visit(node)
    outputs = tuple(walk.renamed.get(name, name) for name in file.outputs)
    if missing := [name for name in outputs if name not in walk.shapes.types]:
        raise wrong(f"must make its outputs, but nothing makes '{missing[0]}'")
    return Folded(_needed(walk.kept, outputs), outputs, walk.shapes, frozenset(walk.constants))


class _Walk:
    def __init__(self, file: File, inputs: Mapping[str, onnx.TypeProto]) -> None:
        self.shapes = Shapes(file, inputs)
        self.constants = set(file.weights)
        self.renamed: dict[str, str] = {}
        self.kept: list[Kept] = []

    def visit(self, node: onnx.NodeProto) -> None:
        """Take in the next node, whose inputs are known."""
        read = tuple(self.renamed.get(name, name) for name in node.input)
        if missing := [name for name in read if name and name not in self.shapes.types]:
            raise wrong(f"must make what it reads, but {called(node)} reads '{missing[0]}', which nothing makes")
        if node.op_type in _INSIDE:
            raise wrong(f"must be the same for every input, but {called(node)} runs graphs inside of it")
        if node.op_type in _PASSING and read and read[0] and len(list(filter(None, node.output))) == 1:
            self._pass(node.output[0], read[0])
            return
        constant = node.op_type not in _RANDOM and self.constants.issuperset(filter(None, read))
        constant = constant or node.op_type in _OF_SHAPES
        self.shapes.infer(node, called=called(node), empty=constant)
        if constant:
            self._fold(node, read)
        else:
            self.kept.append(Kept(node, read))

    def _pass(self, made: str, read: str) -> None:
        self.shapes.types[made] = self.shapes.types[read]
        if read not in self.constants:
            self.renamed[made] = read
            return
        self.constants.add(made)  # exporters give one tensor to several weights that happen to be alike
        if read in self.shapes.values:
            self.shapes.values[made] = self.shapes.values[read]

    def _fold(self, node: onnx.NodeProto, read: Sequence[str]) -> None:
        self.constants.update(filter(None, node.output))
        if (value := self._value(node, read)) is not None:
            self.shapes.values[node.output[0]] = value

    def _value(self, node: onnx.NodeProto, read: Sequence[str]) -> Array | None:
        shape, values = self.shapes.of(node.output[0]), self.shapes.values
        if node.op_type == "Shape":
            given = {item.name: item.i for item in node.attribute}
            return np.asarray(self.shapes.of(read[0])[given.get("start", 0) : given.get("end")], np.int64)
        if node.op_type == "Size":
            return np.asarray(np.prod(self.shapes.of(read[0]), dtype=np.int64))
        if any(name not in values for name in filter(None, read)):
            return None
        return evaluate(node, [values[name] for name in read if name], shape)


def _needed(nodes: Sequence[Kept], outputs: Sequence[str]) -> Sequence[Kept]:
    """The nodes without which an output couldn't be made."""
    wanted, found = set(outputs), list[Kept]()
    for item in reversed(nodes):
        if wanted.intersection(filter(None, item.node.output)):
            wanted.update(item.inputs)
            found.append(item)
    return found[::-1]


def called(node: onnx.NodeProto) -> str:
    """A node in a message."""
    return f"the {node.op_type[:80]} node '{node.name[:200]}'" if node.name else f"a {node.op_type[:80]} node"
