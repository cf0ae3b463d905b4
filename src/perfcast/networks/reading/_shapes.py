"""Shapes of what a node makes, from those of what it reads: ONNX's own inference, a node at a time."""

import math
from collections.abc import Mapping

import onnx
from onnx import numpy_helper
from onnx.shape_inference import InferenceError, infer_node_outputs

from perfcast.networks._graph import Shape
from perfcast.networks.reading._file import LARGEST_TENSOR, MOST_AXES, Array, File, wrong


class Shapes:
    """The types of a file's tensors, as far as they are known.

    Attributes:
        types: Of every tensor so far.
        values: What the small constants among them hold.
    """

    def __init__(self, file: File, inputs: Mapping[str, onnx.TypeProto]) -> None:
        self.types: dict[str, onnx.TypeProto] = {**file.weights, **inputs}
        self.values: dict[str, Array] = dict(file.values)
        self._known: dict[str, Shape] = {}
        self._stated = file.stated
        self._opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in file.opsets.items()]
        self._versions = file.opsets

    def of(self, tensor: str) -> Shape:
        """A tensor's shape, whose type is known."""
        if tensor not in self._known:
            self._known[tensor] = tuple(item.dim_value for item in self.types[tensor].tensor_type.shape.dim)
        return self._known[tensor]

    def infer(self, node: onnx.NodeProto, *, called: str, empty: bool) -> None:
        """Note what a node makes.

        Args:
            node: All its inputs are known.
            called: Its name, for messages.
            empty: Whether what it makes may have no numbers in it, as a part of a shape may.

        Raises:
            InvalidInput: The shape of an output can't be known; the field is `network`.
        """
        found, reason = self._inferred(node)
        least = 0 if empty else 1
        for name in filter(None, node.output):
            known = found.get(name)
            if known is None or not _whole(known, least):
                known = self._stated.get(name)
            if known is None or not _whole(known, least):
                raise wrong(
                    f"must have shapes that can be worked out, but what {called} makes has none: "
                    f"{reason or 'it depends on more than the shape of the input'}"
                )
            self.types[name] = known
            if math.prod(self.of(name)) > LARGEST_TENSOR:
                raise wrong(f"must have tensors that fit into memory, but {called} makes {self.of(name)}")

    def _inferred(self, node: onnx.NodeProto) -> tuple[Mapping[str, onnx.TypeProto], str]:
        domain = "" if node.domain == "ai.onnx" else node.domain
        read = set(filter(None, node.input))
        try:
            data = {name: numpy_helper.from_array(self.values[name], name) for name in read if name in self.values}
            schema = onnx.defs.get_schema(node.op_type, self._versions.get(domain, 1), domain)
            types = {name: self.types[name] for name in read}
            return infer_node_outputs(schema, node, types, data, opset_imports=self._opsets), ""
        except onnx.defs.SchemaError:
            return {}, f"'{domain or 'ai.onnx'}' has no operator '{node.op_type}' that is known here"
        except (InferenceError, RuntimeError, ValueError, TypeError) as error:
            return {}, str(error).strip().splitlines()[0][:300]


def _whole(kind: onnx.TypeProto, least: int) -> bool:
    """Whether a tensor's shape is known in every dimension, each of at least so many."""
    tensor = kind.tensor_type
    if not tensor.HasField("shape") or len(tensor.shape.dim) > MOST_AXES:
        return False
    return all(item.HasField("dim_value") and item.dim_value >= least for item in tensor.shape.dim)
