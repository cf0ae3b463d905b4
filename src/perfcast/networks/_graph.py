"""A network as what it computes: operators in order, and the shapes of the tensors between them."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import TypeAlias

import msgspec

Shape: TypeAlias = tuple[int, ...]
Attribute: TypeAlias = int | float | str | tuple[int, ...]

FLOAT_BYTES = 4


class Node(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """One operator, in ONNX's words.

    Attributes:
        name: Unlike any other node's in the graph, for people: `layer1.0.conv1`.
        operator: What it does: ONNX's `op_type`, such as `Conv` or `MaxPool`.
        inputs: The tensors that it reads, weights included; an optional one that is left out is an empty string.
        outputs: The tensors that it makes.
        attributes: What ONNX calls so, without those that are tensors or graphs; small constant inputs that decide the
            shape of the output (of `Reshape`, `Slice`, `Pad`, …) aren't kept, since shapes are.
    """

    name: str
    operator: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    attributes: Mapping[str, Attribute] = {}


class Graph(msgspec.Struct, frozen=True, omit_defaults=True, dict=True):
    """A network at one image a call; all its activations grow with the batch.

    Attributes:
        name: Of the network.
        inputs, outputs: The tensors that a caller gives and gets.
        nodes: In an order in which they can run.
        shapes: Of every tensor that a node reads or makes, weights included, for a batch of one.
        weights: The tensors among them that don't depend on the input.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    shapes: Mapping[str, Shape]
    weights: frozenset[str] = frozenset()

    @cached_property
    def parameters(self) -> int:
        """How many numbers it learnt: its weights, without single numbers and what `BatchNormalization` measured."""
        measured = {name for node in self.nodes if node.operator == "BatchNormalization" for name in node.inputs[3:]}
        return sum(count for name in self.weights - measured if (count := self.elements(name)) > 1)

    @cached_property
    def readers(self) -> Mapping[str, tuple[Node, ...]]:
        """Which nodes read a tensor, in their order."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def makers(self) -> Mapping[str, Node]:
        """Which node makes a tensor."""
        return {name: node for node in self.nodes for name in node.outputs}

    def elements(self, tensor: str) -> int:
        """How many numbers a tensor has, for a batch of one."""
        return math.prod(self.shapes[tensor])

    def activations(self, node: Node) -> tuple[str, ...]:
        """The tensors that a node reads and that depend on the network's input."""
        return tuple(name for name in node.inputs if name and name not in self.weights)
