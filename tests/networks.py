"""Networks as ONNX models, and what ONNX Runtime makes of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from perfcast.networks import Graph, Node
from perfcast.networks.rules._blocks import lay_out
from perfcast.networks.rules._compositions import compose
from perfcast.networks.rules._fusions import fuse
from perfcast.networks.rules._kernels import SHAPES, VIEWS
from perfcast.networks.rules._rewriting import Rewriting

OPSET = 17
_IN_BLOCKS = frozenset(
    {"AveragePool", "BatchNormalization", "Conv", "GlobalAveragePool", "GlobalMaxPool", "MaxPool", "Resize", "Upsample"}
)
"""Operators of which ONNX Runtime has another kernel for blocks; others run the same one on them."""
_CALLED = {"FusedConv": "Conv", "FusedGemm": "Gemm", "FusedMatMul": "MatMul", "QuickGelu": "Silu", "Resize": "Upsample"}

_IN_GELU = {"Div": 2**0.5, "Add": 1.0, "Mul": 0.5}
"""The constant numbers of GELU by what is done with them, since ONNX Runtime knows it by them."""


def model(
    nodes: Sequence[onnx.NodeProto],
    weights: Mapping[str, np.ndarray],
    shape: Sequence[int],
    outputs: Sequence[str] = ("y",),
    *,
    opset: int = OPSET,
) -> bytes:
    """A model with one input `x`."""
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    return made.SerializeToString()


def written(graph: Graph) -> bytes:
    """A graph as a model, with random weights and the constants that a graph doesn't keep."""
    random, constants = np.random.default_rng(0), {}
    for name in sorted(graph.weights):
        shape, reader = graph.shapes[name], graph.readers[name][0].operator
        values = random.uniform(0.5, 1.5, shape) if shape else _IN_GELU.get(reader, 1.0)
        constants[name] = np.asarray(values, dtype=np.float32)
    parts: Counter[str] = Counter()
    nodes = [_written(graph, node, constants, parts) for node in graph.nodes]
    renamed = {graph.inputs[0]: "x"}
    for node in nodes:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    return model(nodes, constants, graph.shapes[graph.inputs[0]], graph.outputs)


def _written(graph: Graph, node: Node, constants: dict[str, np.ndarray], parts: Counter[str]) -> onnx.NodeProto:
    shape, result = (graph.shapes[name] for name in (node.inputs[0], node.outputs[0]))
    operator, given, attributes = node.operator, list(node.inputs), dict(node.attributes)
    more: list[np.ndarray] = []
    match operator:
        case "Clip":
            attributes, more = {}, [np.float32(0), np.float32(6)]
        case "Reshape" | "Flatten" | "Squeeze" | "Unsqueeze":
            operator, attributes, more = "Reshape", {}, [np.array(result, dtype=np.int64)]
        case "Slice":
            axis = next(at for at, size in enumerate(shape) if result[at] != size)
            start = parts[node.inputs[0]]
            parts[node.inputs[0]] += result[axis]
            more = [np.array([number], dtype=np.int64) for number in (start, start + result[axis], axis)]
        case "Split":
            axis = attributes.get("axis", 0)
            more = [np.array([graph.shapes[name][axis] for name in node.outputs], dtype=np.int64)]
    for number, values in enumerate(more):
        constants[f"{node.name}.{number}"] = np.asarray(values)
        given.append(f"{node.name}.{number}")
    return helper.make_node(operator, given, node.outputs, node.name, **attributes)


def optimised(source: bytes, folder: Path) -> onnx.ModelProto:
    """What ONNX Runtime runs instead of a model, as it says itself."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return onnx.load(folder / "optimised.onnx")


def block(folder: Path) -> int:
    """How many channels ONNX Runtime has in a block on this processor: it pools whole blocks alone in blocks."""
    for channels in (8, 16):
        pool = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2])
        nodes = optimised(model([pool], {}, [1, channels, 8, 8]), folder).graph.node
        if any(node.domain == "com.microsoft.nchwc" for node in nodes):
            return channels
    raise AssertionError("ONNX Runtime knows no blocks on this processor")


def kernels_found(made: onnx.ModelProto) -> Counter[str]:
    """The kernels of an optimised model: `b:` for those in blocks, with the sum and activation that they contain."""
    found: Counter[str] = Counter()
    for node in made.graph.node:
        if node.op_type in VIEWS | SHAPES:
            continue
        blocked = node.domain == "com.microsoft.nchwc" and not node.op_type.startswith("Reorder")
        activation = "".join(f"+{item.s.decode()}" for item in node.attribute if item.name == "activation")
        total = "+Sum" if node.op_type in {"Conv", "FusedConv"} and len(node.input) > 3 and node.input[3] else ""
        name = _CALLED.get(node.op_type, node.op_type)
        found["b:" * blocked + name + total + activation] += 1
    return found


def kernels_planned(graph: Graph, size: int) -> Counter[str]:
    """The same by the rules, for blocks of a size."""
    rewriting = Rewriting(graph)
    compose(rewriting)
    fuse(rewriting)
    blocks = lay_out(rewriting, size)
    planned: Counter[str] = Counter()
    for node in rewriting.nodes:
        if node.operator in VIEWS | SHAPES or node.name in blocks.absorbed:
            continue
        if node.operator == "HardSwish":
            planned.update(["HardSigmoid", "Mul"])
            continue
        blocked = node.name in blocks.nodes and node.operator in _IN_BLOCKS
        name = "Conv" if blocked and node.operator == "BatchNormalization" else node.operator
        activation = f"+{node.attributes['activation']}" if "activation" in node.attributes else ""
        planned["b:" * blocked + _CALLED.get(name, name) + "+Sum" * ("sum" in node.attributes) + activation] += 1
    reorders = Counter(ReorderInput=len(blocks.brought_in), ReorderOutput=sum(blocks.brought_out.values()))
    return +(planned + reorders)
