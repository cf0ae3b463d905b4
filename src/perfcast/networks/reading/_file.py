"""The parts of an ONNX file that decide what is computed: its nodes, and the shapes of its weights, not their data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, TypeAlias

import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from perfcast.errors import InvalidInput
from perfcast.networks.reading._skim import LARGEST_DATA, skim

Array: TypeAlias = npt.NDArray[Any]

MOST_NODES = 20_000
MOST_AXES = 32
LARGEST_TENSOR = 2**40
"""Numbers of a tensor; more is a mistake in the file."""
LARGEST_VALUE = LARGEST_DATA // 8
"""Numbers of the largest constant whose value is kept; shapes, axes and bounds are far smaller, weights larger."""
wrong = partial(InvalidInput.of, "network")


@dataclass(frozen=True)
class File:
    """What is read of an ONNX file.

    Attributes:
        name: What the file calls its graph.
        opsets: The version of each domain of operators that it uses.
        inputs: What a caller gives; the graph's inputs without those that are weights.
        outputs: The tensors that a caller gets.
        nodes: In an order in which they can run.
        weights: Of every tensor that the file holds, its type.
        values: Of the small ones among them, what they hold.
        stated: Types that the file states of tensors between nodes.
    """

    name: str
    opsets: Mapping[str, int]
    inputs: Mapping[str, onnx.TypeProto]
    outputs: tuple[str, ...]
    nodes: Sequence[onnx.NodeProto]
    weights: Mapping[str, onnx.TypeProto]
    values: Mapping[str, Array]
    stated: Mapping[str, onnx.TypeProto]


def load(source: Path | bytes) -> File:
    """Read an ONNX file; data in other files is neither needed nor looked at.

    Raises:
        InvalidInput: It is no ONNX file, or none that a network can be read from; the field is `network`.
        OSError: It can't be read.
    """
    model = _parse(source)
    graph = model.graph
    if model.functions:
        raise wrong(f"calls functions of its own, such as '{model.functions[0].name}'; export it with them inlined")
    if len(graph.node) > MOST_NODES:
        raise wrong(f"must have at most {MOST_NODES:,} nodes, has {len(graph.node):,}")
    weights, values = _weights(graph)
    inputs = {item.name: item.type for item in graph.input if item.name not in weights}
    return File(
        name=graph.name,
        opsets={_plain(item.domain): item.version for item in model.opset_import},
        inputs=inputs,
        outputs=tuple(item.name for item in graph.output),
        nodes=_in_order(graph.node, {*inputs, *weights}),
        weights=weights,
        values=values,
        stated={item.name: item.type for item in (*graph.value_info, *graph.output)},
    )


def _parse(source: Path | bytes) -> onnx.ModelProto:
    try:
        model: onnx.ModelProto = onnx.ModelProto.FromString(skim(source))
    except (DecodeError, ValueError):
        raise wrong("must be an ONNX file") from None
    if not model.HasField("graph") or not model.graph.node:
        raise wrong("must be an ONNX file with a graph in it, but holds none")
    if not model.graph.output:
        raise wrong("must be an ONNX file of a network, but its graph has no output")
    return model


def _plain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def _weights(graph: onnx.GraphProto) -> tuple[dict[str, onnx.TypeProto], dict[str, Array]]:
    types: dict[str, onnx.TypeProto] = {}
    values: dict[str, Array] = {}
    for name, tensor in _tensors(graph):
        if len(tensor.dims) > MOST_AXES or any(size < 0 for size in tensor.dims):
            raise wrong(f"must have weights of a shape, but that of '{name[:200]}' is {list(tensor.dims)[:MOST_AXES]}")
        types[name] = onnx.helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))
        if (value := value_of(tensor)) is not None:
            values[name] = value
    return types, values


def _tensors(graph: onnx.GraphProto) -> Iterator[tuple[str, onnx.TensorProto]]:
    for tensor in graph.initializer:
        yield tensor.name, tensor
    for sparse in graph.sparse_initializer:
        dense = onnx.TensorProto(name=sparse.values.name, data_type=sparse.values.data_type, dims=sparse.dims)
        dense.data_location = onnx.TensorProto.EXTERNAL
        yield dense.name, dense


def value_of(tensor: onnx.TensorProto) -> Array | None:
    """What a small tensor holds; None for a large one, and for one whose data isn't in the file."""
    numbers = 1
    for size in tensor.dims:
        numbers *= size
    if tensor.data_location == onnx.TensorProto.EXTERNAL or not 0 <= numbers <= LARGEST_VALUE:
        return None
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _in_order(nodes: Sequence[onnx.NodeProto], given: set[str]) -> Sequence[onnx.NodeProto]:
    """The nodes, each after those that make what it reads."""
    makers = _makers(nodes, given)
    needs = {at: {makers[name] for name in node.input if name in makers} for at, node in enumerate(nodes)}
    if all(max(needed, default=-1) < at for at, needed in needs.items()):
        return list(nodes)
    try:
        return [nodes[at] for at in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        names = [f"'{nodes[at].name or nodes[at].op_type}'" for at in error.args[1][:4]]
        raise wrong(f"must have no cycle, but these nodes wait for each other: {', '.join(names)}") from None


def _makers(nodes: Sequence[onnx.NodeProto], given: set[str]) -> dict[str, int]:
    """The place of the node that makes a tensor."""
    makers: dict[str, int] = {}
    for at, node in enumerate(nodes):
        for name in filter(None, node.output):
            if name in makers or name in given:
                raise wrong(f"must make each tensor once, but '{name}' is made twice")
            makers[name] = at
    return makers
