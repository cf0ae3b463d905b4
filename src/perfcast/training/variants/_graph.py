"""An ONNX graph to be changed: its constants as arrays, what a tensor in it holds for some rows."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from perfcast.sessions import FEATURES, open_session
from perfcast.workloads import Rows

Array: TypeAlias = npt.NDArray[Any]


class Graph:
    """A serialised graph, read; every constant is made an initialiser, so that there is one kind of them."""

    def __init__(self, graph: bytes) -> None:
        self.model = onnx.load_model_from_string(graph)
        self._lift_constants()

    @property
    def nodes(self) -> Sequence[onnx.NodeProto]:
        """Its nodes, each after those that it needs."""
        return list(self.model.graph.node)

    def constant(self, name: str) -> Array:
        """The value of a constant; an empty array where the tensor is none."""
        found = (tensor for tensor in self.model.graph.initializer if tensor.name == name)
        return next((np.asarray(numpy_helper.to_array(tensor)) for tensor in found), np.zeros(0))

    def replace(self, name: str, value: Array) -> None:
        """Give a constant another value, of any shape."""
        found = next(tensor for tensor in self.model.graph.initializer if tensor.name == name)
        found.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value), name))

    def compute(self, name: str, parts: Mapping[str, Array], nodes: Sequence[onnx.NodeProto]) -> None:
        """Let nodes, in order, compute a constant from others, as ONNX Runtime does once, when it loads."""
        graph = self.model.graph
        kept = [tensor for tensor in graph.initializer if tensor.name != name]
        made = [numpy_helper.from_array(value, part) for part, value in parts.items()]
        later = list(graph.node)
        del graph.initializer[:], graph.node[:]
        graph.initializer.extend([*kept, *made])
        graph.node.extend([*nodes, *later])

    def users(self, tensor: str) -> list[onnx.NodeProto]:
        """The nodes that read a tensor."""
        return [node for node in self.model.graph.node if tensor in node.input]

    def values(self, tensor: str, features: Rows) -> Array:
        """What a tensor inside holds for these rows, float32 [rows, features]."""
        shown = onnx.ModelProto()
        shown.CopyFrom(self.model)
        del shown.graph.output[:]
        shown.graph.output.append(onnx.ValueInfoProto(name=tensor))
        (value,) = open_session(shown.SerializeToString()).run([tensor], {FEATURES: features})
        return np.asarray(value)

    def to_bytes(self) -> bytes:
        """Serialised again; shapes that were noted on the way are left out, since they may have changed."""
        del self.model.graph.value_info[:]
        onnx.checker.check_model(self.model)
        return bytes(self.model.SerializeToString())

    def _lift_constants(self) -> None:
        kept = []
        for node in self.model.graph.node:
            value = next((item.t for item in node.attribute if item.name == "value"), None)
            if node.op_type == "Constant" and value is not None:
                lifted = self.model.graph.initializer.add()
                lifted.CopyFrom(value)
                lifted.name = node.output[0]
            else:
                kept.append(node)
        del self.model.graph.node[:]
        self.model.graph.node.extend(kept)
