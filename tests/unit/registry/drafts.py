"""Drafts with a real, tiny ONNX graph."""

from functools import cache

import onnx
from onnx import TensorProto, helper

from perfcast.manifest import Draft, GraphFacts, Manifest
from perfcast.storage import sha256


@cache
def graph(bias: float) -> bytes:
    """The first feature plus a bias: float32 [rows, 2] -> float32 [rows]."""
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", 2])
    cost = helper.make_tensor_value_info("cost", TensorProto.FLOAT, ["rows"])
    constants = [
        helper.make_tensor("first", TensorProto.INT64, [], [0]),
        helper.make_tensor("bias", TensorProto.FLOAT, [], [bias]),
    ]
    nodes = [
        helper.make_node("Gather", ["features", "first"], ["column"], axis=1),
        helper.make_node("Add", ["column", "bias"], ["cost"]),
    ]
    model = helper.make_model(helper.make_graph(nodes, "tiny", [features], [cost], constants))
    onnx.checker.check_model(model)
    return model.SerializeToString()


def draft(bias: float = 0.0, *, workload: str = "cpu-utilization", data: bytes | None = None) -> Draft:
    """A draft whose bytes differ with the bias."""
    data = graph(bias) if data is None else data
    facts = GraphFacts(sha256=sha256(data), bytes=len(data), opset=21, ir=10, row_us=5.0)
    manifest = Manifest(
        type="xgboost",
        workload={"name": workload, "features": []},
        ranges={"request_rate": (0.0, 100.0)},
        graph=facts,
        created_at="2026-01-01T00:00:00.000000Z",
        settings={"bias": bias},
    )
    return Draft(data, manifest)
