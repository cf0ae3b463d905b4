"""What stands in a serialised ONNX graph, read without the onnx package: its operators' domains, data kept elsewhere.

ONNX Runtime would run operators of its own domains, and a graph that was given as bytes may name a file in the working
folder as the place of its weights. So an uploaded graph is looked through before a session is opened.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from perfcast.errors import BrokenVersion

_EXTERNAL = 1
_STANDARD = ("", "ai.onnx")
_FIELDS = """
Model: ir_version 1 int64, graph 7 Graph, opsets 8 *Opset, functions 25 *Function
Opset: domain 1 string, version 2 int64
Graph: nodes 1 *Node, initializers 5 *Tensor, sparse 15 *Sparse
Node: operator 4 string, attributes 5 *Attribute, domain 7 string
Attribute: tensor 5 Tensor, graph 6 Graph, tensors 10 *Tensor, graphs 11 *Graph, sparse 22 Sparse, sparses 23 *Sparse
Tensor: external 13 *Entry, location 14 int32
Entry: key 1 string
Sparse: values 1 Tensor, indices 2 Tensor
Function: nodes 7 *Node, domain 10 string, attributes 11 *Attribute
"""
"""Of each message in the published onnx.proto only the fields that matter here: name, number, `*` for many, type."""


@dataclass(frozen=True)
class Anatomy:
    """What an ONNX file says of itself.

    Attributes:
        ir: Version of the file format.
        opset: Version of ONNX's own operators; 0 where none is named.
        operators: Of every node, also inside of subgraphs and functions: (domain, operator), `""` for ONNX's own.
        external: Whether data of some tensor stands in another file.
    """

    ir: int
    opset: int
    operators: frozenset[tuple[str, str]]
    external: bool


def dissect(graph: bytes) -> Anatomy:
    """Look through a graph.

    Raises:
        BrokenVersion: It is no ONNX file, or one whose subgraphs stand deeper in each other than can be read.
    """
    from google.protobuf.message import DecodeError

    model = _message("Model")()
    try:
        model.ParseFromString(graph)
    except DecodeError:
        raise BrokenVersion("it is no ONNX file") from None
    if not model.HasField("graph"):
        raise BrokenVersion("it is no ONNX file: it holds no graph")
    operators: set[tuple[str, str]] = set()
    external = False
    bodies = [model.graph, *model.functions]
    for function in model.functions:
        operators.add((_plain(function.domain), "a function"))
    for tensor in _walk(bodies, operators):
        external = external or tensor.location == _EXTERNAL or bool(tensor.external)
    opset = next((item.version for item in model.opsets if item.domain in _STANDARD), 0)
    return Anatomy(model.ir_version, opset, frozenset(operators), external)


def _walk(bodies: list[Any], operators: set[tuple[str, str]]) -> Iterator[Any]:
    """Every tensor of these graphs and functions and of what stands inside of them; notes the operators met."""
    waiting = list(bodies)
    while waiting:
        body = waiting.pop()
        if body.DESCRIPTOR.name == "Graph":
            yield from body.initializers
            yield from _tensors(body.sparse)
        attributes = list(body.attributes) if body.DESCRIPTOR.name == "Function" else []
        for node in body.nodes:
            operators.add((_plain(node.domain), node.operator))
            attributes.extend(node.attributes)
        for attribute in attributes:
            yield from (attribute.tensor, *attribute.tensors)
            yield from _tensors([attribute.sparse, *attribute.sparses])
            waiting.extend([*attribute.graphs, *([attribute.graph] if attribute.HasField("graph") else [])])


def _tensors(sparse: Any) -> Iterator[Any]:
    for item in sparse:
        yield from (item.values, item.indices)


def _plain(domain: str) -> str:
    return "" if domain in _STANDARD else domain


@cache
def _message(name: str) -> Any:
    """The class that reads a message of ONNX; fields that aren't declared above are skipped."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(
        name="perfcast/anatomy.proto", package="perfcast.anatomy", syntax="proto2"
    )
    kinds = descriptor_pb2.FieldDescriptorProto
    scalars = {"int64": kinds.TYPE_INT64, "int32": kinds.TYPE_INT32, "string": kinds.TYPE_STRING}
    for line in _FIELDS.strip().splitlines():
        message, fields = line.split(": ")
        declared = file.message_type.add(name=message)
        for field, number, kind in map(str.split, fields.split(", ")):
            plain = kind.removeprefix("*")
            label = kinds.LABEL_REPEATED if kind.startswith("*") else kinds.LABEL_OPTIONAL
            entry = declared.field.add(name=field, number=int(number), label=label)
            entry.type = scalars.get(plain, kinds.TYPE_MESSAGE)
            if plain not in scalars:
                entry.type_name = f".perfcast.anatomy.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"perfcast.anatomy.{name}"))
